/*
 * krb5kdc's database by way of kdb5_util: entries are written in its dump format (version 7) and loaded, a
 * new database or changes alike. So keys can be set that kadmin knows no command for, and passwords stand on
 * no command line.
 */
#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "dir/files.h"
#include "kdc/database_priv.h"

#define DUMP_MAX (512u << 20)

/* ---- the host's services: entries and keytab ---- */

/* The keys of the last time, so that clients' tickets outlive a restart; new ones else. */
static int
service_keys(struct database *db, krb5_keytab kt, krb5_principal who, struct err *e)
{
	krb5_keytab_entry entry;
	krb5_error_code code;

	db->services.kvno = 1;
	for (size_t i = 0; i < KDC_N_KEYS; i++) {
		code = krb5_kt_get_entry(db->ctx, kt, who, 1, kdc_enctypes[i], &entry);
		if (code == 0) {
			code = krb5_copy_keyblock_contents(db->ctx, &entry.key, &db->services.keys[i]);
			(void)krb5_free_keytab_entry_contents(db->ctx, &entry);
		} else {
			code = krb5_c_make_random_key(db->ctx, kdc_enctypes[i], &db->services.keys[i]);
		}
		if (code != 0)
			return kdc_krb5_failed(db, code, "keys of the services", e);
	}
	return 0;
}

static int
put_host_service(struct database *db, krb5_keytab kt, const char *class, const char *name, struct err *e)
{
	krb5_keytab_entry entry = { .vno = db->services.kvno };
	krb5_error_code code;
	int rc;

	if (krb5_build_principal(db->ctx, &entry.principal, (unsigned)strlen(db->files->realm),
		db->files->realm, class, name, (char *)NULL) != 0)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	rc = kdc_entry_put(db, entry.principal, &db->services, e);
	for (size_t i = 0; rc == 0 && i < KDC_N_KEYS; i++) {
		entry.key = db->services.keys[i];
		code = krb5_kt_add_entry(db->ctx, kt, &entry);
		if (code != 0)
			rc = kdc_krb5_failed(db, code, "keytab", e);
	}
	krb5_free_principal(db->ctx, entry.principal);
	return rc;
}

/* Every class by the full name and by the first label, the latter in both cases. */
static int
put_host_services(struct database *db, krb5_keytab kt, const char *host, struct err *e)
{
	char upper[64], lower[64];
	const char *const names[] = { host, lower, upper };
	size_t n = strcspn(host, ".");

	if (n >= sizeof(upper))
		n = sizeof(upper) - 1;
	for (size_t i = 0; i < n; i++) {
		upper[i] = (char)(host[i] >= 'a' && host[i] <= 'z' ? host[i] - 32 : host[i]);
		lower[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + 32 : host[i]);
	}
	upper[n] = lower[n] = '\0';
	for (size_t c = 0; c < KDC_N_SERVICE_CLASSES; c++)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (put_host_service(db, kt, kdc_service_classes[c], names[i], e) != 0)
				return -1;
	return 0;
}

/* The new keytab takes the old one's place at once. */
static int
make_host_services(struct database *db, const char *host, struct err *e)
{
	char old_name[4200], new_name[4200];
	krb5_keytab old_kt = NULL, new_kt = NULL;
	krb5_principal who = NULL;
	int rc = -1;

	(void)snprintf(old_name, sizeof(old_name), "FILE:%.4100s", db->files->keytab);
	(void)snprintf(new_name, sizeof(new_name), "FILE:%.4100s.new", db->files->keytab);
	(void)unlink(new_name + strlen("FILE:"));
	if (krb5_kt_resolve(db->ctx, old_name, &old_kt) != 0 ||
	    krb5_kt_resolve(db->ctx, new_name, &new_kt) != 0 ||
	    krb5_build_principal(db->ctx, &who, (unsigned)strlen(db->files->realm), db->files->realm,
		kdc_service_classes[0], host, (char *)NULL) != 0)
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
	else if (service_keys(db, old_kt, who, e) == 0)
		rc = put_host_services(db, new_kt, host, e);
	if (rc == 0 && rename(new_name + strlen("FILE:"), db->files->keytab) != 0)
		rc = ERR(e, E_DISK_FULL, "%.100s cannot be written", db->files->keytab);
	krb5_free_principal(db->ctx, who);
	if (old_kt != NULL)
		(void)krb5_kt_close(db->ctx, old_kt);
	if (new_kt != NULL)
		(void)krb5_kt_close(db->ctx, new_kt);
	return rc;
}

/* ---- the whole ---- */

/* kdb5_util has written the master key into the stash, which is a keytab. */
static int
read_master(struct database *db, struct err *e)
{
	krb5_principal who = NULL;
	krb5_keyblock *key = NULL;
	krb5_error_code code;

	code = krb5_build_principal(
	    db->ctx, &who, (unsigned)strlen(db->files->realm), db->files->realm, "K", "M", (char *)NULL);
	if (code == 0)
		code = krb5_kt_read_service_key(
		    db->ctx, (char *)(uintptr_t)db->files->stash, who, 0, ENCTYPE_NULL, &key);
	if (code == 0)
		code = krb5_copy_keyblock_contents(db->ctx, key, &db->master);
	krb5_free_keyblock(db->ctx, key);
	krb5_free_principal(db->ctx, who);
	return code == 0 ? 0 : kdc_krb5_failed(db, code, "master key", e);
}

/* With our own configuration, whatever the machine's says. */
static int
open_database(struct database *db, const struct kdc_files *f, struct err *e)
{
	profile_t profile = NULL;

	*db = (struct database){ .files = f };
	buf_init(&db->dump, DUMP_MAX);
	if (profile_init_path(f->krb5_conf, &profile) != 0 ||
	    krb5_init_context_profile(profile, 0, &db->ctx) != 0) {
		profile_release(profile);
		return ERR(e, E_FAIL, "KDC: %.100s cannot be read", f->krb5_conf);
	}
	profile_release(profile);
	buf_put_str(&db->dump, "kdb5_util load_dump version 7\n");
	return read_master(db, e);
}

static void
close_database(struct database *db)
{
	if (db->ctx != NULL) {
		kdc_key_set_wipe(db, &db->services);
		krb5_free_keyblock_contents(db->ctx, &db->master);
		krb5_free_context(db->ctx);
	}
	buf_wipe(&db->dump);
}

static int
load_dump(struct database *db, struct err *e)
{
	const char *const args[] = { "load", "-update", db->files->dump, NULL };
	int rc = file_write(db->files->dump, &db->dump, e);

	if (rc == 0)
		rc = kdc_files_run(db->files, args, e);
	(void)unlink(db->files->dump);
	return rc;
}

static int
create(const struct kdc_files *f, struct err *e)
{
	const char *const destroy[] = { "destroy", "-f", NULL };
	uint8_t random[16];
	char master[2 * sizeof(random) + 1];
	const char *const args[] = { "create", "-s", "-r", f->realm, "-P", master, NULL };
	struct buf empty;
	int rc;

	/* What a server that was ended half-way left behind. */
	if (access(f->database, F_OK) == 0 && kdc_files_run(f, destroy, e) != 0)
		return -1;
	(void)unlink(f->stash);
	rng_system(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(master + 2 * i, 3, "%02x", random[i]);
	rc = kdc_files_run(f, args, e);
	explicit_bzero(master, sizeof(master));
	if (rc != 0)
		return -1;
	buf_init(&empty, 1);
	rc = file_write(f->complete, &empty, e);
	buf_fini(&empty);
	return rc;
}

int
kdc_database_prepare(const struct kdc_files *f, const char *host, struct err *e)
{
	struct database db;
	int rc = -1;

	if (access(f->complete, F_OK) != 0 && create(f, e) != 0)
		return -1;
	if (open_database(&db, f, e) == 0 && make_host_services(&db, host, e) == 0)
		rc = load_dump(&db, e);
	close_database(&db);
	return rc;
}

int
kdc_database_update(const struct kdc_files *f, const char *host, const struct kdc_accounts *now,
    const struct kdc_accounts *before, struct err *e)
{
	struct database db;
	int rc = open_database(&db, f, e);

	/* Those who went first: a name may be somebody else's now. */
	for (size_t i = 0; rc == 0 && before != NULL && i < before->n; i++) {
		const struct kdc_account *old = &before->list[i];

		if (kdc_accounts_find(now, old->name) == NULL)
			rc = kdc_account_put(&db, now, old, true, host, e);
		else if (old->upn != NULL && kdc_accounts_find_upn(now, old->upn) == NULL)
			rc = kdc_upn_shut(&db, old->upn, e);
	}
	for (size_t i = 0; rc == 0 && i < now->n; i++)
		if (now->list[i].changed)
			rc = kdc_account_put(&db, now, &now->list[i], false, host, e);
	if (rc == 0)
		rc = load_dump(&db, e);
	close_database(&db);
	return rc;
}
