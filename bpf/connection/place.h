/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../scratch.h"
#include "live.h"

/* Where `connections` has room. That table evicts nothing by itself. Each of its entries has a place, and a new entry looks for one
 * among a few places that are chosen at random. So nothing has to walk the table, and an entry that is idle for longer than its timeout
 * makes room. */

/* place -> the entry that has it, for connections that only their two ends can have established. Full: no further connection is
 * established. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 196608);
	__type(key, __u32);
	__type(value, struct place);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} proven SEC(".maps");

/* The same for flows that a sender with a forged address can establish. Full: of the places that were looked at, the one that has been
 * idle longest makes room. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct place);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} unproven SEC(".maps");

/* 0 -> when a live TCP connection that this node forwards last made room for another one: ns, bpf_ktime_get_coarse_ns; 0: never. Written
 * by the packet path. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} room_made SEC(".maps");

/* How many places are looked at. If nine of ten places are in use, one new connection in six has to send its packet again. */
#define PLACE_TRIES 16
#define PLACE_BEING_TAKEN 1 /* in place of `taken` */
#define PLACE_OVER (1ULL << 62) /* more idle than any connection that is not over */

/* The fields of the kernel's definitions that are needed: the agent may have made the maps with another size (preserved offsets: CO-RE). */
struct bpf_map {
	__u32 max_entries;
} __attribute__((preserve_access_index));

/* Whether this is a TCP or SCTP connection of which this node sees both directions. An entry node may never see the backend's packets,
 * and other protocols have no secret that only the receiver of an answer can repeat. */
static __always_inline bool is_proven(const struct tuple *tuple, const struct connection *connection)
{
	return has_handshake(tuple->protocol) && !(connection->flags & CONNECTION_FORWARDED);
}

static __always_inline struct place *place_at(__u32 index, bool is_proven_one)
{
	return is_proven_one ? bpf_map_lookup_elem(&proven, &index) : bpf_map_lookup_elem(&unproven, &index);
}

/* Two functions, because Clang would merge the two reads into one, and the verifier accepts no offset from a pointer that may be to
 * either map. */
static __noinline __u32 proven_places(void)
{
	return ((struct bpf_map *)&proven)->max_entries;
}

static __noinline __u32 unproven_places(void)
{
	return ((struct bpf_map *)&unproven)->max_entries;
}

/* Whether the entry is at this place: otherwise the place is free. */
static __always_inline bool is_placed(const struct tuple *tuple, const struct connection *entry, __u32 index, bool proven_ones)
{
	return entry && entry->place == index && is_proven(tuple, entry) == proven_ones;
}

#define PLACE_FREE (~0ULL)

/* How long the connection at this place has been idle. PLACE_FREE: no live connection has the place; 0: the connection stays. Its key is
 * in the scratch buffer, because the stack is needed for the other direction's key. */
static __always_inline __u64 place_idle(const struct place *place, __u32 index, bool proven_ones)
{
	struct scratch *scratch = scratch_get();
	const struct connection *entry;
	__s64 idle;

	if (!scratch)
		return 0;
	scratch->direction = place->tuple;
	entry = bpf_map_lookup_elem(&connections, &scratch->direction);
	if (!is_placed(&scratch->direction, entry, index, proven_ones))
		return PLACE_FREE;
	if (!connection_is_live(entry, scratch->direction.protocol) && !opposite_is_live(&scratch->direction, entry))
		return PLACE_FREE;
	idle = bpf_ktime_get_coarse_ns() - entry->last_seen;
	if (idle < 1)
		idle = 1;
	if (entry->flags & (CONNECTION_CLOSED | CONNECTION_RESET))
		return PLACE_OVER + idle;
	return proven_ones ? 0 : idle;
}

/* Whether a packet may be of a forwarded connection whose entry made room although both ends still have the connection. */
static __always_inline bool has_made_room(void)
{
	__u32 zero = 0;
	const __u64 *made = bpf_map_lookup_elem(&room_made, &zero);

	return made && *made && (__s64)(bpf_ktime_get_coarse_ns() - *made) < (__s64)TIMEOUT_TCP_ESTABLISHED;
}

/* In a flood only one entry a second is noted: otherwise the processors would wait for each other. */
static __always_inline void note_room_made(const struct tuple *tuple, const struct connection *entry)
{
	const __u32 flags = CONNECTION_FORWARDED | CONNECTION_CLOSED | CONNECTION_RESET;
	__u64 now = bpf_ktime_get_coarse_ns();
	__u32 zero = 0;
	__u64 *made;

	if (tuple->protocol != IPPROTO_TCP || (entry->flags & flags) != CONNECTION_FORWARDED || !connection_is_live(entry, IPPROTO_TCP))
		return;
	made = bpf_map_lookup_elem(&room_made, &zero);
	if (made && (__s64)(now - *made) >= (__s64)SECOND)
		*made = now;
}

/* Takes the place from its entry, unless another processor has done so. @param taken when that entry took it */
__global bool place_claim(__u32 index, bool proven_ones, __u64 taken)
{
	struct place *place = place_at(index, proven_ones);
	struct scratch *scratch = scratch_get();
	const struct connection *entry;

	if (!place || !scratch || __sync_val_compare_and_swap(&place->taken, taken, PLACE_BEING_TAKEN) != taken)
		return false;
	scratch->direction = place->tuple;
	entry = bpf_map_lookup_elem(&connections, &scratch->direction);
	if (is_placed(&scratch->direction, entry, index, proven_ones)) {
		note_room_made(&scratch->direction, entry);
		bpf_map_delete_elem(&connections, &scratch->direction);
	}
	return true;
}

#define NO_PLACE (~0u)

/* Of the places that were looked at, the one whose connection has been idle longest. */
struct idlest {
	__u32 place; /* NO_PLACE: each stays */
	__u32 padding;
	__u64 idle;
	__u64 taken; /* when it had been taken */
};

/* Looks at a place. @return whether it was free; it now belongs to the caller */
__global bool place_try(__u32 index, bool proven_ones, struct idlest *idlest)
{
	struct place *place = place_at(index, proven_ones);
	__u64 idle, taken;

	if (!place || !idlest)
		return false;
	taken = *(volatile __u64 *)&place->taken;
	if (taken == PLACE_BEING_TAKEN)
		return false;
	idle = place_idle(place, index, proven_ones);
	if (idle == PLACE_FREE)
		return place_claim(index, proven_ones, taken);
	if (idle > idlest->idle) {
		idlest->place = index;
		idlest->idle = idle;
		idlest->taken = taken;
	}
	return false;
}

/* A place that belongs to the caller until place_end(); NO_PLACE: all places that were looked at are in use. */
__global __u32 place_take(bool proven_ones)
{
	__u32 count = proven_ones ? proven_places() : unproven_places(), index;
	struct idlest idlest = {.place = NO_PLACE};

	if (!count)
		return NO_PLACE;
	for (int i = 0; i < PLACE_TRIES; i++) {
		index = bpf_get_prandom_u32() % count;
		if (place_try(index, proven_ones, &idlest))
			return index;
	}
	return idlest.place != NO_PLACE && place_claim(idlest.place, proven_ones, idlest.taken) ? idlest.place : NO_PLACE;
}

/* Gives the place to the entry that was written, or frees it if none was. */
static __always_inline void place_end(struct place *place)
{
	__sync_lock_test_and_set(&place->taken, bpf_ktime_get_ns());
}

static __always_inline void place_release(__u32 index, bool proven_ones)
{
	struct place *place = index == NO_PLACE ? NULL : place_at(index, proven_ones);

	if (place)
		place_end(place);
}

/* Writes an entry to `connections`, with its place. @return an error, or 0 */
static __always_inline long place_fill(__u32 index, const struct tuple *tuple, struct connection *entry)
{
	struct place *place = place_at(index, is_proven(tuple, entry));
	long result;

	if (!place)
		return -1;
	place->tuple = *tuple;
	entry->place = index;
	result = bpf_map_update_elem(&connections, tuple, entry, BPF_ANY);
	place_end(place);
	return result;
}
