/* SPDX-License-Identifier: MIT */
/*
 * Accounts in an LMDB environment: a writer moves amounts between them and changes their texts,
 * while a second process reads. Whenever it looks, the amounts add up to nothing, and each text is
 * that of its account and version.
 *
 *	lmdb_accounts DIR ACCOUNTS ROUNDS [writemap]
 */
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TEXT_BYTES = 1000,
	MOVES = 100, /* in a transaction */
	BATCH = 1000,
	MODE = 0600,
};

#define MAP_BYTES (1ull << 30)

struct account {
	int64_t amount;
	uint64_t version;
	unsigned char text[TEXT_BYTES];
};

struct bank {
	MDB_env *environment;
	MDB_dbi accounts;
	uint32_t count;
	uint64_t random;
};

static void must(int result, const char *what)
{
	if (result == 0)
		return;
	fprintf(stderr, "lmdb_accounts: process %d: %s: %s\n", getpid(), what,
		mdb_strerror(result));
	exit(2);
}

static uint32_t random_below(struct bank *bank, uint32_t limit)
{
	bank->random = bank->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(bank->random >> 33) % limit;
}

static unsigned char text_byte(uint32_t number, uint64_t version, size_t at)
{
	return (unsigned char)(number * 31 + version * 7 + at);
}

static void account_write(struct account *account, uint32_t number)
{
	for (size_t i = 0; i < TEXT_BYTES; i++)
		account->text[i] = text_byte(number, account->version, i);
}

static void account_check(const struct account *account, uint32_t number)
{
	for (size_t i = 0; i < TEXT_BYTES; i++) {
		if (account->text[i] == text_byte(number, account->version, i))
			continue;
		fprintf(stderr, "lmdb_accounts: WRONG DATA: account %u, version %llu, byte %zu\n",
			number, (unsigned long long)account->version, i);
		exit(1);
	}
}

static void account_put(struct bank *bank, MDB_txn *transaction, uint32_t number,
			struct account *account)
{
	MDB_val key = {sizeof(number), &number};
	MDB_val value = {sizeof(*account), account};
	account_write(account, number);
	must(mdb_put(transaction, bank->accounts, &key, &value, 0), "put");
}

static void account_get(struct bank *bank, MDB_txn *transaction, uint32_t number,
			struct account *account)
{
	MDB_val key = {sizeof(number), &number}, value;
	must(mdb_get(transaction, bank->accounts, &key, &value), "get");
	memcpy(account, value.mv_data, sizeof(*account));
	account_check(account, number);
}

/* Each process opens the environment for itself: it must not be carried through fork. */
static void bank_open(struct bank *bank, const char *directory, unsigned flags)
{
	MDB_txn *transaction;
	must(mdb_env_create(&bank->environment), "create");
	must(mdb_env_set_mapsize(bank->environment, MAP_BYTES), "set the size");
	must(mdb_env_open(bank->environment, directory, flags, MODE), "open");
	must(mdb_txn_begin(bank->environment, NULL, 0, &transaction), "begin");
	must(mdb_dbi_open(transaction, NULL, MDB_INTEGERKEY, &bank->accounts), "open the table");
	must(mdb_txn_commit(transaction), "commit");
}

static void bank_fill(struct bank *bank)
{
	for (uint32_t first = 0; first < bank->count; first += BATCH) {
		MDB_txn *transaction;
		must(mdb_txn_begin(bank->environment, NULL, 0, &transaction), "begin");
		for (uint32_t i = first; i < first + BATCH && i < bank->count; i++) {
			struct account account = {.amount = 0};
			account_put(bank, transaction, i, &account);
		}
		must(mdb_txn_commit(transaction), "commit");
	}
}

static void account_change(struct bank *bank, MDB_txn *transaction, uint32_t number, int64_t by)
{
	struct account account;
	account_get(bank, transaction, number, &account);
	account.amount += by;
	account.version++;
	account_put(bank, transaction, number, &account);
}

/* Every eighth transaction is taken back. */
static void bank_round(struct bank *bank, unsigned round)
{
	MDB_txn *transaction;
	must(mdb_txn_begin(bank->environment, NULL, 0, &transaction), "begin");
	for (unsigned i = 0; i < MOVES; i++) {
		int64_t amount = random_below(bank, 1000);
		account_change(bank, transaction, random_below(bank, bank->count), -amount);
		account_change(bank, transaction, random_below(bank, bank->count), amount);
	}
	if (round % 8 == 7)
		mdb_txn_abort(transaction);
	else
		must(mdb_txn_commit(transaction), "commit");
}

/* Read all of it in one transaction. Returns the sum of the versions. */
static uint64_t bank_check(struct bank *bank)
{
	MDB_txn *transaction;
	int64_t sum = 0;
	uint64_t versions = 0;
	must(mdb_txn_begin(bank->environment, NULL, MDB_RDONLY, &transaction), "begin");
	for (uint32_t i = 0; i < bank->count; i++) {
		struct account account;
		account_get(bank, transaction, i, &account);
		sum += account.amount;
		versions += account.version;
	}
	mdb_txn_abort(transaction);
	if (sum == 0)
		return versions;
	fprintf(stderr, "lmdb_accounts: WRONG DATA: the amounts add up to %lld\n", (long long)sum);
	exit(1);
}

/* Until all that the writer does is there. */
static void bank_watch(struct bank *bank, uint64_t last)
{
	uint64_t versions = 0;
	while (versions < last) {
		uint64_t before = versions;
		versions = bank_check(bank);
		if (versions >= before)
			continue;
		fprintf(stderr, "lmdb_accounts: WRONG DATA: an older state came back\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	struct bank bank = {.count = (uint32_t)atoi(argv[2]), .random = 1};
	unsigned rounds = (unsigned)atoi(argv[3]);
	unsigned flags = argc > 4 ? MDB_WRITEMAP : 0;
	uint64_t last = 2ull * MOVES * (rounds - rounds / 8);
	int status = 0;

	bank_open(&bank, argv[1], flags);
	bank_fill(&bank);
	mdb_env_close(bank.environment);
	pid_t reader = fork();
	bank_open(&bank, argv[1], flags);
	if (reader == 0) {
		bank_watch(&bank, last);
	} else {
		for (unsigned round = 0; round < rounds; round++)
			bank_round(&bank, round);
		if (bank_check(&bank) != last)
			status = 1;
	}
	mdb_env_close(bank.environment);
	if (reader > 0 && (waitpid(reader, &status, 0) != reader || status != 0))
		status = 1;
	return status;
}
