#include "dir/message.h"

#include <lber.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_MAX (64u << 20) /* octets of one synchronised entry */

static int
take_values(struct pool *pool, struct dir_attr *a, const struct berval *name, const struct berval *values)
{
	size_t i, n = 0;

	while (values != NULL && values[n].bv_val != NULL)
		n++;
	a->name = pool_strndup(pool, name->bv_val, name->bv_len);
	a->values = pool_calloc(pool, n, sizeof(*a->values));
	if (a->name == NULL || a->values == NULL)
		return -1;
	for (i = 0; i < n; i++)
		if (pool_dup_bytes(pool,
			(struct bytes){ (const uint8_t *)values[i].bv_val, values[i].bv_len },
			&a->values[i]) != 0)
			return -1;
	a->n = n;
	return 0;
}

bool
message_entry(LDAP *ld, LDAPMessage *msg, struct pool *pool, struct dir_entry *out)
{
	struct berval dn, name, *values;
	BerElement *ber = NULL;
	struct dir_attr *grown;
	size_t cap = 0;
	int rc;

	*out = (struct dir_entry){ 0 };
	if (ldap_get_dn_ber(ld, msg, &ber, &dn) != LDAP_SUCCESS)
		return false;
	out->dn = pool_strndup(pool, dn.bv_val, dn.bv_len);
	for (;;) {
		values = NULL;
		rc = ldap_get_attribute_ber(ld, msg, ber, &name, &values);
		if (rc != LDAP_SUCCESS || name.bv_val == NULL)
			break;
		if (out->n_attrs == cap) {
			cap = cap == 0 ? 32 : 2 * cap;
			grown = pool_calloc(pool, cap, sizeof(*grown));
			if (grown != NULL && out->n_attrs > 0)
				memcpy(grown, out->attrs, out->n_attrs * sizeof(*grown));
			out->attrs = grown;
		}
		rc = out->attrs == NULL ? -1 : take_values(pool, &out->attrs[out->n_attrs], &name, values);
		ber_memfree(values);
		if (rc != 0)
			break;
		out->n_attrs++;
	}
	ber_free(ber, 0);
	return out->dn != NULL && rc == LDAP_SUCCESS;
}

/* Sync State control (RFC 4533 2.3) of an entry. */
static bool
take_sync_state(LDAP *ld, LDAPMessage *msg, int *state, uint8_t uuid[16], char **cookie, struct pool *pool)
{
	LDAPControl **controls = NULL, *c;
	struct berval id = { 0 }, ck = { 0 };
	BerElement *ber;
	bool ok = false;

	if (ldap_get_entry_controls(ld, msg, &controls) != LDAP_SUCCESS)
		return false;
	c = ldap_control_find(LDAP_CONTROL_SYNC_STATE, controls, NULL);
	ber = c == NULL ? NULL : ber_init(&c->ldctl_value);
	if (ber != NULL && ber_scanf(ber, "{em", state, &id) != LBER_ERROR && id.bv_len == 16) {
		memcpy(uuid, id.bv_val, 16);
		ok = true;
		if (ber_peek_tag(ber, &ck.bv_len) == LDAP_TAG_SYNC_COOKIE &&
		    ber_scanf(ber, "m", &ck) != LBER_ERROR)
			*cookie = pool_strndup(pool, ck.bv_val, ck.bv_len);
	}
	if (ber != NULL)
		ber_free(ber, 1);
	ldap_controls_free(controls);
	return ok;
}

void
message_sync_entry(LDAP *ld, LDAPMessage *msg, conn_sync_fn *cb, void *arg)
{
	struct conn_sync_event ev = { 0 };
	struct pool *pool = pool_new(ENTRY_MAX);
	struct dir_entry entry;
	char *cookie = NULL;
	uint8_t uuid[16];
	struct err e;
	int state;

	if (pool == NULL || !take_sync_state(ld, msg, &state, uuid, &cookie, pool) ||
	    !message_entry(ld, msg, pool, &entry)) {
		(void)ERR(&e, E_DS_DECODING_ERROR, "a synchronised entry cannot be read");
		ev = (struct conn_sync_event){ .kind = SYNC_END, .e = &e };
		cb(arg, &ev);
		pool_free(pool);
		return;
	}
	ev.kind = state == LDAP_SYNC_DELETE ? SYNC_DELETED : SYNC_ENTRY;
	ev.uuid = uuid;
	ev.cookie = cookie;
	ev.entry = &entry;
	if (state != LDAP_SYNC_PRESENT)
		cb(arg, &ev);
	pool_free(pool);
}

/* refreshDelete and refreshPresent: SEQUENCE { cookie OPTIONAL, refreshDone BOOLEAN DEFAULT TRUE } */
static void
read_refresh(BerElement *ber, struct berval *cookie, bool *refreshed)
{
	ber_int_t done = 1;
	ber_len_t len;

	if (ber_scanf(ber, "{") == LBER_ERROR)
		return;
	if (ber_peek_tag(ber, &len) == LDAP_TAG_SYNC_COOKIE && ber_scanf(ber, "m", cookie) == LBER_ERROR)
		return;
	if (ber_peek_tag(ber, &len) == LDAP_TAG_REFRESHDONE && ber_scanf(ber, "b", &done) == LBER_ERROR)
		return;
	*refreshed = done != 0;
}

void
message_sync_info(LDAP *ld, LDAPMessage *msg, conn_sync_fn *cb, void *arg)
{
	struct conn_sync_event ev = { .kind = SYNC_INFO };
	struct berval *data = NULL, cookie = { 0 };
	struct pool *pool = pool_new(65536);
	BerElement *ber = NULL;
	char *oid = NULL;
	ber_len_t len;

	if (pool == NULL || ldap_parse_intermediate(ld, msg, &oid, &data, NULL, 0) != LDAP_SUCCESS)
		goto out;
	if (oid == NULL || strcmp(oid, LDAP_SYNC_INFO) != 0 || data == NULL)
		goto out;
	ber = ber_init(data);
	if (ber == NULL)
		goto out;
	switch (ber_peek_tag(ber, &len)) {
	case LDAP_TAG_SYNC_NEW_COOKIE:
		if (ber_scanf(ber, "m", &cookie) == LBER_ERROR)
			goto out;
		break;
	case LDAP_TAG_SYNC_REFRESH_DELETE:
	case LDAP_TAG_SYNC_REFRESH_PRESENT:
		read_refresh(ber, &cookie, &ev.refreshed);
		break;
	default:
		goto out;
	}
	if (cookie.bv_val != NULL)
		ev.cookie = pool_strndup(pool, cookie.bv_val, cookie.bv_len);
	cb(arg, &ev);
out:
	if (ber != NULL)
		ber_free(ber, 1);
	ldap_memfree(oid);
	ber_bvfree(data);
	pool_free(pool);
}
