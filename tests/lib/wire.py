# SPDX-License-Identifier: MIT
"""The wire protocol of include/pagerd/protocol.h, for tests that speak it themselves."""
import array
import ctypes
import fcntl
import mmap
import os
import socket
import struct

MAGIC = 0x64726770
VERSION = 2
PACKET_MAX = 4096
REPLY = 0x8000
(HELLO, UFFD, MAP, REGISTER, UNMAP, OPEN, SYNC, DISCARD, ADVISE, FORK, FORK_END, STATS, SET, REPORT,
 DRAIN, FILE_BEGIN, FILE_END) = range(1, 18)
AGENT, PAGEMAP = 18, 20
LEARN, LEARN_PAGES, BOARD, FILE_CUT = 21, 22, 23, 24
TYPES = [*range(HELLO, FILE_END + 1), LEARN, LEARN_PAGES, BOARD, FILE_CUT]
FILE_WRITE = 1
FILE_SHARED, ANON_SHARED, ANON_PRIVATE, FILE_PRIVATE = range(1, 5)
PAGE = 4096
HEADER = struct.Struct("=IHHIi")
USERFAULTFD_IOC_NEW = 0xAA00

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]

# The bodies of the requests, behind the header.
BODIES = {
    HELLO: struct.Struct("=I20s"),
    UFFD: struct.Struct("=II"),
    MAP: struct.Struct("=IIQQ"),
    REGISTER: struct.Struct("=QQQQ"),
    UNMAP: struct.Struct("=QQII"),
    OPEN: struct.Struct("=QQ"),
    SYNC: struct.Struct("=QQII"),
    DISCARD: struct.Struct("=QQII"),
    ADVISE: struct.Struct("=QQII"),
    FORK: struct.Struct("="),
    FORK_END: struct.Struct("="),
    STATS: struct.Struct("="),
    SET: struct.Struct("=II256s"),
    REPORT: struct.Struct("=IIII"),
    DRAIN: struct.Struct("="),
    FILE_BEGIN: struct.Struct("=QQII"),
    FILE_END: struct.Struct("=QQII"),
    AGENT: struct.Struct("="),
    PAGEMAP: struct.Struct("="),
    BOARD: struct.Struct("=QQII"),
    FILE_CUT: struct.Struct("=QQII"),
    LEARN: struct.Struct("=II"),
    LEARN_PAGES: struct.Struct("=QQII4000s"),
}


class Refused(Exception):
    """The daemon answered with an error, or ended the session."""


def packet(kind, *fields):
    body = BODIES[kind].pack(*fields)
    return HEADER.pack(MAGIC, VERSION, kind, HEADER.size + len(body), 0) + body


def map_memory(length, descriptor=-1, offset=0, flags=mmap.MAP_SHARED):
    """mmap(2), for its address."""
    address = libc.mmap(None, length, mmap.PROT_READ | mmap.PROT_WRITE, flags, descriptor, offset)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return address


class Session:
    """A connection that does what it is told, right or wrong."""

    def __init__(self, seconds=60):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(seconds)
        self.socket.connect(os.environ["PAGERD_SOCKET"])
        self.device = None
        self.userfaultfds = {}  # of this process's own, by shard

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.socket.close()
        for shard, userfaultfd in self.userfaultfds.items():
            if shard:
                os.close(userfaultfd)
        if self.device is not None:
            os.close(self.device)

    def send(self, data, descriptors=()):
        ancillary = []
        if descriptors:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        self.socket.sendmsg([data], ancillary)

    def receive(self):
        """One packet and its descriptors; (b"", []) when the daemon has closed the session."""
        data, ancillary, _, _ = self.socket.recvmsg(PACKET_MAX, socket.CMSG_SPACE(16))
        descriptors = array.array("i")
        for level, kind, payload in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(payload[:len(payload) // 4 * 4])
        return data, list(descriptors)

    def reply_to(self, kind):
        data, descriptors = self.receive()
        if len(data) < HEADER.size:
            raise Refused("the session has ended")
        magic, version, answered, size, error = HEADER.unpack_from(data)
        if (magic, version, answered, size) != (MAGIC, VERSION, kind | REPLY, len(data)):
            raise AssertionError(f"a wrong reply to {kind}: {data[:HEADER.size].hex()}")
        if error:
            for descriptor in descriptors:
                os.close(descriptor)
            raise Refused(f"request {kind}: {os.strerror(-error)}")
        return data[HEADER.size:], descriptors

    def call(self, kind, *fields, descriptors=()):
        self.send(packet(kind, *fields), descriptors)
        return self.reply_to(kind)

    def hello(self):
        """Returns a new userfaultfd."""
        _, descriptors = self.call(HELLO, 0, b"test")
        if not descriptors:
            raise Refused("the daemon has no /dev/userfaultfd to pass")
        self.device = descriptors[0]
        return self.userfaultfd()

    def userfaultfd(self):
        return fcntl.ioctl(self.device, USERFAULTFD_IOC_NEW, os.O_CLOEXEC | os.O_NONBLOCK)

    def join(self):
        """HELLO and UFFD; returns this process's own descriptor of the first shard's userfaultfd."""
        userfaultfd = self.hello()
        self.call(UFFD, 0, 0, descriptors=[userfaultfd])
        self.userfaultfds[0] = userfaultfd
        return userfaultfd

    def join_shard(self, shard):
        """UFFD, unless it was sent; the descriptor is closed with the session."""
        if shard not in self.userfaultfds:
            self.userfaultfds[shard] = self.userfaultfd()
            self.call(UFFD, shard, 0, descriptors=[self.userfaultfds[shard]])

    def map(self, kind, length, descriptor=None, writable=1, offset=0):
        """Returns the object's number, the memfd and the offset into it."""
        data, descriptors = self.call(MAP, kind, writable, length, offset,
                                      descriptors=[] if descriptor is None else [descriptor])
        _, shard, number, memfd_offset = struct.unpack_from("=IIQQ", data)
        self.join_shard(shard)
        return number, descriptors[0], memfd_offset

    def map_and_register(self, kind, length, descriptor=None):
        """Returns the address of memory that is paged."""
        number, memfd, offset = self.map(kind, length, descriptor)
        address = map_memory(length, memfd, offset)
        os.close(memfd)
        self.call(REGISTER, address, length, number, offset)
        return address


def check_alive():
    """A new session gets memory that works, and ends."""
    with Session() as session:
        userfaultfd = session.join()
        length = 16 * PAGE
        address = session.map_and_register(ANON_PRIVATE, length)
        ctypes.memset(address, 0x5A, length)
        if ctypes.string_at(address, length) != b"\x5A" * length:
            raise AssertionError("the memory of a good session is wrong")
        session.call(UNMAP, address, length, 0, 0)
        libc.munmap(ctypes.c_void_p(address), length)
        os.close(userfaultfd)
