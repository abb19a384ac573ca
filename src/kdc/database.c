/*
 * krb5kdc's database by way of kdb5_util: entries are written in its dump format (version 7) and loaded, a
 * new database or changes alike. So keys can be set that kadmin knows no command for, and passwords stand on
 * no command line.
 */
#include <krb5.h>
#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "dir/files.h"
#include "kdc/kdc_priv.h"

#define DUMP_MAX (512u << 20)
#define MAX_LIFE 86400
#define MAX_RENEWABLE_LIFE (7 * 86400)

/* Attributes of an entry, as kdb.h has them. */
#define DISALLOW_ALL_TIX 0x40
#define REQUIRES_PRE_AUTH 0x80
#define DISALLOW_SVR 0x1000

/* Best first: what a client and a service have in common is chosen in this order. */
static const krb5_enctype enctypes[] = { ENCTYPE_AES256_CTS_HMAC_SHA1_96, ENCTYPE_AES128_CTS_HMAC_SHA1_96,
	ENCTYPE_ARCFOUR_HMAC };
#define N_KEYS ARRAY_LEN(enctypes)

/* What clients ask for on the CA's host, in their spelling: names are case-sensitive here, unlike in AD. */
static const char *const service_classes[] = { "HOST", "host", "RestrictedKrbHost", "RPCSS", "rpcss", "HTTP",
	"http", "cifs", "ldap" };

struct key_set {
	krb5_keyblock keys[N_KEYS]; /* length 0: there is none of that type */
	unsigned kvno;
};

struct database {
	const struct kdc_files *files;
	krb5_context ctx;
	krb5_keyblock master;
	struct key_set services; /* of the CA's host */
	struct buf dump;
};

static int
krb5_failed(const struct database *db, krb5_error_code code, const char *what, struct err *e)
{
	const char *text = krb5_get_error_message(db->ctx, code);

	(void)ERR(e, E_FAIL, "KDC: %s: %s", what, text);
	krb5_free_error_message(db->ctx, text);
	return -1;
}

/* ---- keys ---- */

static void
key_set_wipe(struct database *db, struct key_set *s)
{
	for (size_t i = 0; i < N_KEYS; i++)
		krb5_free_keyblock_contents(db->ctx, &s->keys[i]); /* overwrites them */
}

/* Keys of a clear password, with the salt of RFC 4120 4: realm and name. */
static int
keys_of_password(
    struct database *db, krb5_const_principal who, const char *password, struct key_set *out, struct err *e)
{
	krb5_data text = { .length = (unsigned)strlen(password), .data = (char *)(uintptr_t)password }, salt;
	krb5_error_code code = krb5_principal2salt(db->ctx, who, &salt);

	if (code != 0)
		return krb5_failed(db, code, "salt", e);
	for (size_t i = 0; code == 0 && i < N_KEYS; i++)
		code = krb5_c_string_to_key(db->ctx, enctypes[i], &text, &salt, &out->keys[i]);
	krb5_free_data_contents(db->ctx, &salt);
	return code == 0 ? 0 : krb5_failed(db, code, "keys of a password", e);
}

/* RFC 4757 2: the NT hash is the arcfour-hmac key. */
static int
key_of_hash(struct database *db, const uint8_t hash[16], struct key_set *out, struct err *e)
{
	krb5_keyblock key = {
		.enctype = ENCTYPE_ARCFOUR_HMAC, .length = 16, .contents = (krb5_octet *)(uintptr_t)hash
	};
	krb5_error_code code = krb5_copy_keyblock_contents(db->ctx, &key, &out->keys[N_KEYS - 1]);

	return code == 0 ? 0 : krb5_failed(db, code, "key of an NT hash", e);
}

/* The keys of the last time, so that clients' tickets outlive a restart; new ones else. */
static int
service_keys(struct database *db, krb5_keytab kt, krb5_principal who, struct err *e)
{
	krb5_keytab_entry entry;
	krb5_error_code code;

	db->services.kvno = 1;
	for (size_t i = 0; i < N_KEYS; i++) {
		code = krb5_kt_get_entry(db->ctx, kt, who, 1, enctypes[i], &entry);
		if (code == 0) {
			code = krb5_copy_keyblock_contents(db->ctx, &entry.key, &db->services.keys[i]);
			(void)krb5_free_keytab_entry_contents(db->ctx, &entry);
		} else {
			code = krb5_c_make_random_key(db->ctx, enctypes[i], &db->services.keys[i]);
		}
		if (code != 0)
			return krb5_failed(db, code, "keys of the services", e);
	}
	return 0;
}

/* ---- entries ---- */

/* Key data: the key's length, then the key encrypted with the master key (usage 0). */
static int
put_key(struct database *db, const krb5_keyblock *key, unsigned kvno, struct err *e)
{
	krb5_data plain = { .length = key->length, .data = (char *)key->contents };
	krb5_enc_data sealed = { .magic = KV5M_ENC_DATA };
	uint8_t octets[256] = { 0 };
	krb5_error_code code;
	size_t len = 0;

	code = krb5_c_encrypt_length(db->ctx, db->master.enctype, key->length, &len);
	if (code == 0 && len > sizeof(octets) - 2)
		return ERR(e, E_UNEXPECTED, "KDC: an encrypted key of %zu octets", len);
	set_u16le(octets, (uint16_t)key->length);
	sealed.ciphertext.length = (unsigned)len;
	sealed.ciphertext.data = (char *)octets + 2;
	if (code == 0)
		code = krb5_c_encrypt(db->ctx, &db->master, 0, NULL, &plain, &sealed);
	if (code != 0)
		return krb5_failed(db, code, "encrypting a key", e);
	buf_printf(&db->dump, "\t1\t%u\t%d\t%zu\t", kvno, (int)key->enctype, len + 2);
	text_put_hex(&db->dump, (struct bytes){ octets, len + 2 });
	return 0;
}

static int
put_entry(struct database *db, krb5_const_principal who, unsigned attributes, const struct key_set *keys,
    struct err *e)
{
	char *name;
	krb5_error_code code = krb5_unparse_name(db->ctx, who, &name);
	unsigned n = 0;
	int rc = 0;

	if (code != 0)
		return krb5_failed(db, code, "name", e);
	for (size_t i = 0; i < N_KEYS; i++)
		n += keys->keys[i].length > 0;
	buf_printf(&db->dump, "princ\t38\t%zu\t0\t%u\t0\t%s\t%u\t%u\t%u\t0\t0\t0\t0\t0", strlen(name), n,
	    name, attributes, (unsigned)MAX_LIFE, (unsigned)MAX_RENEWABLE_LIFE);
	krb5_free_unparsed_name(db->ctx, name);
	for (size_t i = 0; rc == 0 && i < N_KEYS; i++)
		if (keys->keys[i].length > 0)
			rc = put_key(db, &keys->keys[i], keys->kvno, e);
	buf_put_str(&db->dump, "\t-1;\n");
	return rc;
}

/* Is it a service of the CA's host, which the keytab has? */
static bool
is_host_service(const char *service, const char *host)
{
	const char *slash = strchr(service, '/');
	size_t label = strcspn(host, ".");

	if (slash == NULL)
		return false;
	if (strcasecmp(slash + 1, host) != 0 &&
	    (strlen(slash + 1) != label || strncasecmp(slash + 1, host, label) != 0))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(service_classes); i++)
		if (strlen(service_classes[i]) == (size_t)(slash - service) &&
		    strncasecmp(service_classes[i], service, (size_t)(slash - service)) == 0)
			return true;
	return false;
}

/* An account's services share its keys, as in AD. One whose name cannot be read is left out. */
static int
put_services(struct database *db, const struct kdc_account *a, const char *host, unsigned attributes,
    const struct key_set *keys, struct err *e)
{
	krb5_principal who;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n_services; i++) {
		if (is_host_service(a->services[i], host))
			continue;
		if (krb5_parse_name_flags(db->ctx, a->services[i], KRB5_PRINCIPAL_PARSE_NO_REALM, &who) !=
		    0) {
			log_warn(main, "KDC: servicePrincipalName \"%s\" of %s is not a name", a->services[i],
			    a->name);
			continue;
		}
		rc = krb5_set_principal_realm(db->ctx, who, db->files->realm) != 0
		    ? ERR(e, E_OUTOFMEMORY, "out of memory")
		    : put_entry(db, who, attributes, keys, e);
		krb5_free_principal(db->ctx, who);
	}
	return rc;
}

static int
put_account(struct database *db, const struct kdc_account *a, bool gone, const char *host, struct err *e)
{
	unsigned off = gone || a->disabled ? DISALLOW_ALL_TIX : 0;
	unsigned attributes =
	    off | (a->no_preauth ? 0 : REQUIRES_PRE_AUTH) | (a->n_services == 0 ? DISALLOW_SVR : 0);
	struct key_set keys = { .kvno = a->kvno };
	krb5_principal who;
	int rc = 0;

	if (krb5_build_principal(db->ctx, &who, (unsigned)strlen(db->files->realm), db->files->realm, a->name,
		(char *)NULL) != 0)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (a->password != NULL)
		rc = keys_of_password(db, who, a->password, &keys, e);
	else if (a->has_hash)
		rc = key_of_hash(db, a->nt_hash, &keys, e);
	if (rc == 0 && (a->password != NULL || a->has_hash))
		rc = put_entry(db, who, attributes, &keys, e) != 0 ||
			put_services(db, a, host, off, &keys, e) != 0
		    ? -1
		    : 0;
	key_set_wipe(db, &keys);
	krb5_free_principal(db->ctx, who);
	return rc;
}

/* ---- the host's services: entries and keytab ---- */

static int
put_host_service(struct database *db, krb5_keytab kt, const char *class, const char *name, struct err *e)
{
	krb5_keytab_entry entry = { .vno = db->services.kvno };
	krb5_error_code code;
	int rc;

	if (krb5_build_principal(db->ctx, &entry.principal, (unsigned)strlen(db->files->realm),
		db->files->realm, class, name, (char *)NULL) != 0)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	rc = put_entry(db, entry.principal, 0, &db->services, e);
	for (size_t i = 0; rc == 0 && i < N_KEYS; i++) {
		entry.key = db->services.keys[i];
		code = krb5_kt_add_entry(db->ctx, kt, &entry);
		if (code != 0)
			rc = krb5_failed(db, code, "keytab", e);
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
	for (size_t c = 0; c < ARRAY_LEN(service_classes); c++)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (put_host_service(db, kt, service_classes[c], names[i], e) != 0)
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
		service_classes[0], host, (char *)NULL) != 0)
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
	return code == 0 ? 0 : krb5_failed(db, code, "master key", e);
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
		key_set_wipe(db, &db->services);
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

	for (size_t i = 0; rc == 0 && i < now->n; i++)
		if (now->list[i].changed)
			rc = put_account(&db, &now->list[i], false, host, e);
	for (size_t i = 0; rc == 0 && before != NULL && i < before->n; i++)
		if (kdc_accounts_find(now, before->list[i].name) == NULL)
			rc = put_account(&db, &before->list[i], true, host, e);
	if (rc == 0)
		rc = load_dump(&db, e);
	close_database(&db);
	return rc;
}
