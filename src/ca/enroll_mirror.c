/*
 * Who may request certificates is told in the directory, too: clients list only CAs on whose
 * pKIEnrollmentService object they have Enroll. certsrv.msc writes both at once.
 */
#include <stdlib.h>

#include "base/log.h"
#include "ca/ca_priv.h"
#include "ca/enroll_mirror.h"

#define MIRROR_POOL_MAX (4u << 20)

static bool
is_enroll(const struct ace *a)
{
	return (a->type == ACCESS_ALLOWED_OBJECT_ACE_TYPE || a->type == ACCESS_DENIED_OBJECT_ACE_TYPE) &&
	    a->has_object_type && guid_equal(&a->object_type, &GUID_ENROLL);
}

static size_t
put_enroll(struct ace *out, size_t n, const struct sd *from, uint8_t plain, uint8_t object)
{
	for (size_t i = 0; from->dacl != NULL && i < from->dacl->n; i++) {
		const struct ace *a = &from->dacl->aces[i];

		if (a->type == plain && (a->mask & CA_ACCESS_ENROLL) != 0 &&
		    (a->flags & INHERIT_ONLY_ACE) == 0)
			out[n++] = (struct ace){ .type = object,
				.mask = ADS_RIGHT_DS_CONTROL_ACCESS,
				.has_object_type = true,
				.object_type = GUID_ENROLL,
				.sid = a->sid };
	}
	return n;
}

int
ca_enroll_mirror(struct sd *service, const struct sd *ca, struct pool *pool, struct err *e)
{
	size_t n_have = service->dacl != NULL ? service->dacl->n : 0, n = 0;
	size_t n_ca = ca->dacl != NULL ? ca->dacl->n : 0;
	struct acl *acl = POOL_NEW(pool, struct acl);

	if (acl == NULL || (acl->aces = pool_calloc(pool, n_have + n_ca, sizeof(*acl->aces))) == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the access list");
	n = put_enroll(acl->aces, n, ca, ACCESS_DENIED_ACE_TYPE, ACCESS_DENIED_OBJECT_ACE_TYPE);
	n = put_enroll(acl->aces, n, ca, ACCESS_ALLOWED_ACE_TYPE, ACCESS_ALLOWED_OBJECT_ACE_TYPE);
	for (size_t i = 0; i < n_have; i++) {
		if (!is_enroll(&service->dacl->aces[i]))
			acl->aces[n++] = service->dacl->aces[i];
	}
	acl->revision = 4;
	acl->n = n;
	service->dacl = acl;
	service->control |= SE_DACL_PRESENT;
	return 0;
}

/* ---- on its way ---- */

struct mirror {
	struct ca *ca;
	struct pool *pool;
	ca_ready_fn *done;
	void *arg;
};

/* The CA's own list rules; the copy is for clients that look first. */
static void
finish(struct mirror *m, const struct err *e)
{
	struct ca *ca = m->ca;

	if (e != NULL)
		log_warn(ca, "Enroll on the pKIEnrollmentService object is not as on the CA: %s", e->msg);
	m->done(m->arg, e);
	pool_free(m->pool);
	free(m);
	ca_unref(ca);
}

static void
on_written(void *arg, const struct dir_result *res, const struct err *e)
{
	(void)res;
	finish(arg, e);
}

static int
write_service(struct mirror *m, const struct dir_entry *service, struct err *e)
{
	const struct dir_attr *have = dir_entry_attr(service, "nTSecurityDescriptor");
	struct dir_mod mod = { DIR_MOD_REPLACE, "nTSecurityDescriptor", NULL, 1 };
	struct bytes value;
	struct buf wire;
	struct sd sd;
	int rc;

	if (have == NULL || have->n == 0)
		return ERR(e, E_INVALID_DATA, "%s has no access list", service->dn);
	if (sd_from_wire(&sd, m->pool, have->values[0], e) != 0 ||
	    ca_enroll_mirror(&sd, &m->ca->live->security, m->pool, e) != 0)
		return -1;
	buf_init(&wire, SD_WIRE_MAX);
	rc = sd_to_wire(&sd, &wire, e);
	value = buf_bytes(&wire);
	mod.values = &value;
	if (rc == 0)
		rc = dir_modify_start(m->ca->dir, service->dn, &mod, 1, on_written, m, e);
	buf_fini(&wire);
	return rc;
}

static void
on_service(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct mirror *m = arg;
	const struct dir_entry *service = e == NULL ? ca_service_entry(m->ca, snap) : NULL;
	struct err why = { 0 };

	if (e != NULL)
		why = *e;
	else if (m->ca->closing)
		ERR(&why, E_CANCELLED, "the server ends");
	else if (service == NULL)
		ERR(&why, E_DS_NO_SUCH_OBJECT, "this CA's pKIEnrollmentService object is gone");
	else if (write_service(m, service, &why) == 0)
		return;
	finish(m, &why);
}

void
ca_enroll_mirror_start(struct ca *ca, ca_ready_fn *done, void *arg)
{
	struct mirror *m = calloc(1, sizeof(*m));
	struct err e = { 0 };

	if (m == NULL || (m->pool = pool_new(MIRROR_POOL_MAX)) == NULL) {
		free(m);
		ERR(&e, E_OUTOFMEMORY, "no memory for the access list");
		done(arg, &e);
		return;
	}
	m->ca = ca;
	m->done = done;
	m->arg = arg;
	ca_ref(ca);
	if (dir_snapshot_get(ca->dir, on_service, m, &e) != 0)
		finish(m, &e);
}
