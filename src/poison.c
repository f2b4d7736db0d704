/* SPDX-License-Identifier: MIT */
/* Poison: pages whose accesses get SIGBUS, and its end. */
#include "poison.h"

#include "core.h"

/* Whether there is hope, so that trying costs nothing where there is none. */
static bool answerable(struct pager *pager, const struct region *region, uint64_t address)
{
	const struct object *object = object_behind(pager, object_lookup(pager, region->object));
	uint64_t bytes;
	if (pager->shortage.hopeless)
		return false;
	return !object_is_file(object) ||
	       region_page(region, address) < object_file_pages(object, &bytes);
}

void poison_add(struct pager *pager, const struct client *client, uint64_t address)
{
	struct poison_table *table = &pager->poison;
	const struct region *region = region_lookup(client, address);
	for (uint32_t i = 0; i < table->used; i++) {
		const struct poison *old = &table->entries[i];
		if (old->address == address && old->client == client->number &&
		    old->client_generation == client->generation)
			return; /* tried again in vain */
	}
	struct object *object = region ? object_lookup(pager, region->object) : NULL;
	if (object) {
		object->poisoned = true;
		board_poisoned(object_behind(pager, object));
	}
	table->entries[table->next] = (struct poison){
		.address = address,
		.client = client->number,
		.client_generation = client->generation,
		.waits = region && !answerable(pager, region, address),
	};
	if (table->next == table->used)
		table->used++;
	table->next = (table->next + 1) % POISON_MAX;
}

void poison_follow(struct pager *pager, const struct client *client, const struct region *region)
{
	uint32_t used = pager->poison.used;
	for (uint32_t i = 0; i < used; i++) {
		const struct poison *old = &pager->poison.entries[i];
		const struct region *from =
			old->client == client->number ? region_lookup(client, old->address) : NULL;
		if (!from || from == region || from->object != region->object)
			continue;
		uint64_t page = region_page(from, old->address);
		if (page >= region->offset && page < region->offset + region_pages(region))
			poison_add(pager, client, region_address(region, page));
	}
}

void poison_retry(struct pager *pager, const struct object *object, struct pager_request *request)
{
	struct poison_table *table = &pager->poison;
	bool left = false;
	for (uint32_t i = 0; i < table->used; i++) {
		struct poison poison = table->entries[i];
		struct client *client =
			client_lookup_same(pager, poison.client, poison.client_generation);
		struct region *region = client ? region_lookup(client, poison.address) : NULL;
		if (!region) {
			table->entries[i].client = 0;
			continue;
		}
		const struct object *behind =
			region ? object_behind(pager, object_lookup(pager, region->object)) : NULL;
		bool asked = object ? behind == object : poison.waits;
		if (!asked || !answerable(pager, region, poison.address)) {
			left = true;
			continue;
		}
		/* If it fails it is entered again. */
		table->entries[i].client = 0;
		left = true;
		if (!fault_at(pager, client, poison.address, request))
			table->entries[i] = poison; /* another time */
	}
	if (!left)
		table->used = table->next = 0;
}
