# SPDX-License-Identifier: MIT
"""Replacement policies as slowly and obviously as they can be written.

simulate(policy, size, references) counts what a policy of so many pages does with a list of
(page, write): a dict of hits, misses, evictions and dirty_evictions.
"""


class Fifo:
    def __init__(self, size):
        self.size, self.pages = size, []

    def hit(self, page, now):
        pass

    def insert(self, page, now):
        self.pages.append(page)

    def evict(self, now):
        return self.pages.pop(0)


class Lru(Fifo):
    def hit(self, page, now):
        self.pages.remove(page)
        self.pages.append(page)


class Clock(Fifo):
    """One bit, set on a hit, inserted clear; who has it goes round once more without it."""

    def __init__(self, size):
        super().__init__(size)
        self.used = set()

    def hit(self, page, now):
        self.used.add(page)

    def evict(self, now):
        while self.pages[0] in self.used:
            page = self.pages.pop(0)
            self.used.remove(page)
            self.pages.append(page)
        return self.pages.pop(0)


class Sieve(Fifo):
    """The hand goes from the oldest to the newest and begins again when there is none behind the
    one that it evicts; pages stay where they are."""

    def __init__(self, size):
        super().__init__(size)
        self.used, self.hand = set(), 0

    def hit(self, page, now):
        self.used.add(page)

    def evict(self, now):
        while self.pages[self.hand] in self.used:
            self.used.remove(self.pages[self.hand])
            self.hand = (self.hand + 1) % len(self.pages)
        page = self.pages.pop(self.hand)
        self.hand %= max(len(self.pages), 1)
        return page


class Lfu:
    """Who was used least since it came in; among equals who has had that count for longest."""

    def __init__(self, size):
        self.count, self.since = {}, {}

    def hit(self, page, now):
        self.count[page] += 1
        self.since[page] = now

    def insert(self, page, now):
        self.count[page], self.since[page] = 1, now

    def evict(self, now):
        page = min(self.count, key=lambda page: (self.count[page], self.since[page]))
        del self.count[page], self.since[page]
        return page


class Min:
    """Whose next use is furthest. It is told all references first."""

    def __init__(self, size):
        self.pages = set()

    def know(self, references):
        self.uses = {}
        for now, (page, _) in enumerate(references):
            self.uses.setdefault(page, []).append(now)

    def hit(self, page, now):
        pass

    def insert(self, page, now):
        self.pages.add(page)

    def next_use(self, page, now):
        return next((use for use in self.uses[page] if use > now), float("inf"))

    def evict(self, now):
        page = max(self.pages, key=lambda page: self.next_use(page, now))
        self.pages.remove(page)
        return page


POLICIES = {"fifo": Fifo, "lru": Lru, "clock": Clock, "sieve": Sieve, "lfu": Lfu, "min": Min}


def simulate(name, size, references):
    policy = POLICIES[name](size)
    if name == "min":
        policy.know(references)
    resident, dirty = set(), set()
    counts = dict(hits=0, misses=0, evictions=0, dirty_evictions=0)
    for now, (page, write) in enumerate(references):
        if page in resident:
            counts["hits"] += 1
            policy.hit(page, now)
        else:
            counts["misses"] += 1
            if len(resident) == size:
                victim = policy.evict(now)
                resident.remove(victim)
                counts["evictions"] += 1
                counts["dirty_evictions"] += victim in dirty
                dirty.discard(victim)
            resident.add(page)
            policy.insert(page, now)
        if write:
            dirty.add(page)
    return counts
