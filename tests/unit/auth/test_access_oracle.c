/*
 * A second evaluator against the library. Descriptors are made as octets, without the library; the oracle walks the
 * octets, asks for one right at a time which ACE speaks of it first (MS-DTYP 2.5.3.2, MS-ADTS 5.1.3.3.2 and
 * 5.1.3.3.4), and follows group membership recursively where the library gets a flat token.
 */
#include "sd_support.h"

#define CASES 4000
#define PRINCIPALS 12 /* a user and eleven groups */
#define EVERYBODY 12  /* Everyone: always in the token */
#define OWNER_RIGHTS 13
#define STRANGER 14
#define SIDS 15
#define CR 0x100u
#define GA 0x10000000u
#define NOBODY (-1)

static const uint8_t guids[3][16] = {
	{ 0x68, 0xc9, 0x10, 0x0e, 0xfb, 0x78, 0xd2, 0x11, 0x90, 0xd4, 0x00, 0xc0, 0x4f, 0x79, 0xdc, 0x55 },
	{ 0xc2, 0x8c, 0x5b, 0xa0, 0xbc, 0x17, 0x02, 0x48, 0xa7, 0x10, 0xe7, 0xc1, 0x5a, 0xb8, 0x66, 0xa2 },
	{ 0xc4, 0xdd, 0x1d, 0xea, 0xff, 0x60, 0x6e, 0x41, 0x8c, 0xc0, 0x17, 0xce, 0xe5, 0x34, 0xbc, 0xe7 },
};

/* ---- deterministic generator ---- */

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t
pick(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

struct sid_octets {
	uint8_t p[28];
	size_t len;
};

static struct sid_octets
sid_number(int i)
{
	struct sid_octets s = { .p = { 1, 1, 0, 0, 0, 0, 0, 1 }, .len = 12 }; /* Everyone */

	if (i == OWNER_RIGHTS) {
		s.p[7] = 3;
		s.p[8] = 4;
	} else if (i != EVERYBODY) { /* S-1-5-21-1-1-1-(1000 + i) */
		s = (struct sid_octets){ .p = { 1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 }, .len = 28 };
		s.p[24] = (uint8_t)(1000 + i);
		s.p[25] = (uint8_t)((1000 + i) >> 8);
	}
	return s;
}

struct octets {
	uint8_t p[2048];
	size_t len;
};

static void
put(struct octets *o, const void *p, size_t n)
{
	assert_true(n <= sizeof(o->p) - o->len);
	memcpy(o->p + o->len, p, n);
	o->len += n;
}

static void
put32(struct octets *o, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	put(o, b, sizeof(b));
}

static uint32_t
pick_mask(void)
{
	uint32_t mask = 0;

	for (uint32_t n = pick(4); n > 0; n--)
		mask |= 1u << pick(10);
	if (pick(3) == 0)
		mask |= 0x10000u << pick(4);
	if (pick(2) == 0)
		mask |= CR;
	if (pick(12) == 0)
		mask = 0xf01ff;
	return pick(20) == 0 ? GA : mask;
}

static void
make_ace(struct octets *o)
{
	static const uint8_t types[] = { 0, 0, 0, 0, 1, 1, 5, 5, 5, 5, 6, 6, 9, 0xa, 0xb, 0xc, 2, 0x11, 0x63 };
	uint8_t type = types[pick(sizeof(types))];
	uint8_t flags = (uint8_t)((pick(6) == 0 ? 0x08 : 0) | (pick(4) == 0 ? 0x10 : 0) | (pick(5) == 0 ? 0x03 : 0));
	bool object = type == 5 || type == 6 || type == 0xb || type == 0xc;
	struct sid_octets sid = sid_number((int)pick(SIDS));
	size_t start = o->len;

	put32(o, (uint32_t)flags << 8 | type);
	put32(o, pick_mask());
	if (object) {
		uint32_t present = pick(4);

		put32(o, present);
		if ((present & 1) != 0)
			put(o, guids[pick(3)], 16);
		if ((present & 2) != 0)
			put(o, guids[pick(3)], 16);
	}
	put(o, sid.p, sid.len);
	if (type >= 9 && type != 0x11)
		put32(o, 0x78747261); /* "artx": a condition nobody evaluates */
	o->p[start + 2] = (uint8_t)(o->len - start);
	o->p[start + 3] = (uint8_t)((o->len - start) >> 8);
}

static void
make_dacl(struct octets *o)
{
	uint32_t n = pick(8);
	size_t start = o->len;

	put32(o, 4);
	put32(o, n);
	for (uint32_t i = 0; i < n; i++)
		make_ace(o);
	o->p[start + 2] = (uint8_t)(o->len - start);
	o->p[start + 3] = (uint8_t)((o->len - start) >> 8);
}

/* Absent, null or real DACL; with or without an owner; either of them first. */
static void
make_descriptor(struct octets *o)
{
	struct sid_octets owner = sid_number((int)pick(PRINCIPALS));
	bool present = pick(25) != 0, null = pick(25) == 0, owned = pick(10) != 0, owner_first = pick(2) == 0;
	uint32_t off_owner = 0, off_dacl = 0;

	o->len = 0;
	put32(o, 0x80000001u | (present ? 0x40000u : 0));
	for (int i = 0; i < 4; i++)
		put32(o, 0);
	if (owned && owner_first) {
		off_owner = (uint32_t)o->len;
		put(o, owner.p, owner.len);
	}
	if (present && !null) {
		off_dacl = (uint32_t)o->len;
		make_dacl(o);
	}
	if (owned && !owner_first) {
		off_owner = (uint32_t)o->len;
		put(o, owner.p, owner.len);
	}
	o->p[4] = (uint8_t)off_owner;
	o->p[5] = (uint8_t)(off_owner >> 8);
	o->p[16] = (uint8_t)off_dacl;
	o->p[17] = (uint8_t)(off_dacl >> 8);
}

/* ---- membership ---- */

static bool parent[PRINCIPALS][PRINCIPALS]; /* [i][j]: i is a direct member of j; cycles happen */

static void
make_groups(void)
{
	memset(parent, 0, sizeof(parent));
	for (int n = 0; n < 14; n++)
		parent[pick(PRINCIPALS)][1 + pick(PRINCIPALS - 1)] = true;
}

/* The token as the library gets it: the closure, by Warshall. */
static struct token *
make_token(void)
{
	bool reach[PRINCIPALS][PRINCIPALS];
	struct token *t = token_new("u", "u", NULL, false);
	struct err e = { 0 };

	memcpy(reach, parent, sizeof(reach));
	for (int k = 0; k < PRINCIPALS; k++)
		for (int i = 0; i < PRINCIPALS; i++)
			for (int j = 0; j < PRINCIPALS; j++)
				reach[i][j] = reach[i][j] || (reach[i][k] && reach[k][j]);
	for (int i = 0; i <= EVERYBODY; i++) {
		struct sid_octets o = sid_number(i);
		struct sid s;

		if (i > 0 && i < PRINCIPALS && !reach[0][i])
			continue;
		assert_int_equal(sid_from_wire(&s, (struct bytes){ o.p, o.len }, NULL, &e), 0);
		assert_int_equal(token_add(t, &s, TOKEN_VIA_GROUP, NULL, &e), 0);
	}
	return t;
}

/* ---- the oracle ---- */

static bool
member(int who, int group, unsigned seen)
{
	if (who == group)
		return true;
	for (int j = 0; j < PRINCIPALS; j++)
		if (parent[who][j] && (seen >> j & 1) == 0 && member(j, group, seen | 1u << j))
			return true;
	return false;
}

static bool
is_sid(const uint8_t *p, int i)
{
	struct sid_octets s = sid_number(i);

	return memcmp(p, s.p, s.len) == 0; /* every SID is followed by enough octets of the array */
}

static bool
user_holds(const uint8_t *p)
{
	for (int i = 0; i < PRINCIPALS; i++)
		if (is_sid(p, i))
			return member(0, i, 1);
	return is_sid(p, EVERYBODY);
}

static uint32_t
at32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool
owns(const uint8_t *sd)
{
	return at32(sd + 4) != 0 && user_holds(sd + at32(sd + 4));
}

static const uint8_t *
dacl_of(const uint8_t *sd)
{
	return (sd[2] & 4) == 0 || at32(sd + 16) == 0 ? NULL : sd + at32(sd + 16);
}

/* The ACE in plain words: where its SID lies, which object type it names. */
struct view {
	uint32_t mask;
	const uint8_t *sid, *type; /* type NULL: the whole object */
	int verdict;               /* 1 allow, -1 deny, 0 says nothing */
};

static struct view
view_of(const uint8_t *ace)
{
	struct view v = { .mask = at32(ace + 4), .sid = ace + 8 };

	if (ace[0] == 5 || ace[0] == 6) {
		uint32_t present = at32(ace + 8);

		v.type = (present & 1) != 0 ? ace + 12 : NULL;
		v.sid = ace + 12 + 16 * ((present & 1) + (present >> 1 & 1));
	}
	v.verdict = ace[0] == 0 || ace[0] == 5 ? 1 : ace[0] == 1 || ace[0] == 6 ? -1 : 0;
	if ((ace[1] & 8) != 0)
		v.verdict = 0;
	return v;
}

struct answer {
	int verdict; /* 1 or -1 */
	int by;      /* the ACE, or NOBODY */
};

/* Which ACE is the first to speak to the user about one right; guid NULL: a right on the whole object. */
static struct answer
first_to_speak(const uint8_t *sd, uint32_t bit, const uint8_t *guid)
{
	const uint8_t *dacl = dacl_of(sd), *ace = dacl + 8;

	for (int i = 0; i < dacl[4]; i++, ace += ace[2] | ace[3] << 8) {
		struct view v = view_of(ace);
		bool spoken_to = v.verdict != 0 && (user_holds(v.sid) || (is_sid(v.sid, OWNER_RIGHTS) && owns(sd)));
		bool about = (v.mask & bit) != 0 || (guid != NULL && (v.mask & GA) != 0);

		if (spoken_to && about && (v.type == NULL || (guid != NULL && memcmp(v.type, guid, 16) == 0)))
			return (struct answer){ v.verdict, i };
	}
	return (struct answer){ -1, NOBODY };
}

static struct answer
oracle_control(const uint8_t *sd, const uint8_t *guid)
{
	return dacl_of(sd) == NULL ? (struct answer){ 1, NOBODY } : first_to_speak(sd, CR, guid);
}

/* "DACL does not contain ACEs from object owner": no effective one for OWNER RIGHTS. */
static bool
speaks_of_owner_rights(const uint8_t *dacl)
{
	const uint8_t *ace = dacl + 8;

	for (int i = 0; i < dacl[4]; i++, ace += ace[2] | ace[3] << 8) {
		bool object = ace[0] == 5 || ace[0] == 6 || ace[0] == 0xb || ace[0] == 0xc;
		size_t skip = object ? 12 + 16 * ((ace[8] & 1u) + (ace[8] >> 1 & 1u)) : 8;

		if ((ace[1] & 8) == 0 && ace[0] != 0x63 && is_sid(ace + skip, OWNER_RIGHTS))
			return true;
	}
	return false;
}

static struct answer
oracle_bit(const uint8_t *sd, uint32_t bit)
{
	if (dacl_of(sd) == NULL)
		return (struct answer){ 1, NOBODY };
	if ((bit & 0x60000) != 0 && owns(sd) && !speaks_of_owner_rights(dacl_of(sd)))
		return (struct answer){ 1, NOBODY };
	return first_to_speak(sd, bit, NULL);
}

/* All wanted bits must be granted; a refusal is the first denial's, a grant the last grant's. */
static struct answer
oracle_plain(const uint8_t *sd, uint32_t wanted, uint32_t *all)
{
	struct answer r = { 1, NOBODY };
	int denier = NOBODY;

	*all = 0;
	for (int i = 0; i < 32; i++) {
		struct answer a = oracle_bit(sd, 1u << i);

		if (a.verdict > 0)
			*all |= 1u << i;
		if ((wanted >> i & 1) == 0)
			continue;
		if (a.verdict < 0) {
			r.verdict = -1;
			if (a.by != NOBODY && (denier == NOBODY || a.by < denier))
				denier = a.by;
		} else if (a.by > r.by) {
			r.by = a.by;
		}
	}
	if (r.verdict < 0)
		r.by = denier;
	return r;
}

/* ---- the comparison ---- */

static unsigned compared, granted, denied_by_ace;

static void
compare(const struct sd *sd, struct access_verdict v, struct answer a, const char *what, int number)
{
	int by = v.ace == NULL ? NOBODY : (int)(v.ace - sd->dacl->aces);

	if (v.granted != (a.verdict > 0) || by != a.by)
		fail_msg("case %d, %s: %d by %d, oracle %d by %d", number, what, v.granted, by, a.verdict, a.by);
	compared++;
	granted += v.granted;
	denied_by_ace += !v.granted && v.ace != NULL;
}

static void
test_against_oracle(void **state)
{
	struct octets o;

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct pool *pool = pool_new(1 << 16);
		uint32_t wanted = pick_mask() & ~GA, all, oracle_all;
		struct err e = { 0 };
		struct token *t;
		struct sd sd;

		make_groups();
		t = make_token();
		memset(&o, 0, sizeof(o));
		make_descriptor(&o);
		if (sd_from_wire(&sd, pool, (struct bytes){ o.p, o.len }, &e) != 0)
			fail_msg("case %d: %s", i, e.msg);
		compare(&sd, access_check_control(&sd, t, &GUID_ENROLL), oracle_control(o.p, guids[0]), "Enroll", i);
		compare(&sd, access_check_control(&sd, t, &GUID_AUTOENROLL), oracle_control(o.p, guids[1]),
		    "AutoEnroll", i);
		compare(&sd, access_check(&sd, t, wanted, &all), oracle_plain(o.p, wanted, &oracle_all), "rights", i);
		assert_int_equal(all, oracle_all);
		if ((oracle_all & 0x203) != 0) /* MS-CSRA 3.1.1.7 */
			oracle_all |= 0x100;
		assert_int_equal(access_check_ca(&sd, t, wanted, &all).granted, (wanted & ~oracle_all) == 0);
		assert_int_equal(all, oracle_all);
		token_unref(t);
		pool_free(pool);
	}
	assert_int_equal(compared, 3 * CASES);
	/* The generator must not have gone stale: enough of each kind. */
	assert_true(granted > CASES / 2);
	assert_true(denied_by_ace > CASES / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
