/* Entries of krb5kdc's database, in kdb5_util's dump format (version 7). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "kdc/database_priv.h"

#define MAX_LIFE 86400
#define MAX_RENEWABLE_LIFE (7 * 86400)

/* Attributes of an entry, as kdb.h has them. */
#define DISALLOW_ALL_TIX 0x40
#define REQUIRES_PRE_AUTH 0x80
#define DISALLOW_SVR 0x1000
#define SALTTYPE_SPECIAL 4

const krb5_enctype kdc_enctypes[KDC_N_KEYS] = { ENCTYPE_AES256_CTS_HMAC_SHA1_96,
	ENCTYPE_AES128_CTS_HMAC_SHA1_96, ENCTYPE_ARCFOUR_HMAC };

const char *const kdc_service_classes[KDC_N_SERVICE_CLASSES] = { "HOST", "host", "RestrictedKrbHost", "RPCSS",
	"rpcss", "HTTP", "http", "cifs", "ldap" };

int
kdc_krb5_failed(const struct database *db, krb5_error_code code, const char *what, struct err *e)
{
	const char *text = krb5_get_error_message(db->ctx, code);

	(void)ERR(e, E_FAIL, "KDC: %s: %s", what, text);
	krb5_free_error_message(db->ctx, text);
	return -1;
}

/* ---- keys ---- */

void
kdc_key_set_wipe(struct database *db, struct key_set *s)
{
	for (size_t i = 0; i < KDC_N_KEYS; i++)
		krb5_free_keyblock_contents(db->ctx, &s->keys[i]); /* overwrites them */
	krb5_free_data_contents(db->ctx, &s->salt);
}

/* Keys of a clear password, with the salt of RFC 4120 4: realm and name. */
static int
keys_of_password(
    struct database *db, krb5_const_principal who, const char *password, struct key_set *out, struct err *e)
{
	krb5_data text = { .length = (unsigned)strlen(password), .data = (char *)(uintptr_t)password };
	krb5_error_code code = krb5_principal2salt(db->ctx, who, &out->salt);

	if (code != 0)
		return kdc_krb5_failed(db, code, "salt", e);
	for (size_t i = 0; code == 0 && i < KDC_N_KEYS; i++)
		code = krb5_c_string_to_key(db->ctx, kdc_enctypes[i], &text, &out->salt, &out->keys[i]);
	return code == 0 ? 0 : kdc_krb5_failed(db, code, "keys of a password", e);
}

/* RFC 4757 2: the NT hash is the arcfour-hmac key. */
static int
key_of_hash(struct database *db, const uint8_t hash[16], struct key_set *out, struct err *e)
{
	krb5_keyblock key = {
		.enctype = ENCTYPE_ARCFOUR_HMAC, .length = 16, .contents = (krb5_octet *)(uintptr_t)hash
	};
	krb5_error_code code = krb5_copy_keyblock_contents(db->ctx, &key, &out->keys[KDC_N_KEYS - 1]);

	return code == 0 ? 0 : kdc_krb5_failed(db, code, "key of an NT hash", e);
}

/* ---- entries ---- */

/* Key data: the key's length, then the key encrypted with the master key (usage 0). salt NULL or empty: that
 * of the entry's name. */
static int
put_key(struct database *db, const krb5_keyblock *key, unsigned kvno, const krb5_data *salt, struct err *e)
{
	bool special = salt != NULL && salt->length > 0;
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
		return kdc_krb5_failed(db, code, "encrypting a key", e);
	buf_printf(&db->dump, "\t%d\t%u\t%d\t%zu\t", special ? 2 : 1, kvno, (int)key->enctype, len + 2);
	text_put_hex(&db->dump, (struct bytes){ octets, len + 2 });
	if (special) {
		buf_printf(&db->dump, "\t%d\t%u\t", SALTTYPE_SPECIAL, salt->length);
		text_put_hex(&db->dump, (struct bytes){ (const uint8_t *)salt->data, salt->length });
	}
	return 0;
}

/* alias: another name for whose account the keys are, so their salt is told. */
static int
put_entry(struct database *db, krb5_const_principal who, unsigned attributes, const struct key_set *keys,
    bool alias, struct err *e)
{
	char *name;
	krb5_error_code code = krb5_unparse_name(db->ctx, who, &name);
	unsigned n = 0;
	int rc = 0;

	if (code != 0)
		return kdc_krb5_failed(db, code, "name", e);
	for (size_t i = 0; i < KDC_N_KEYS; i++)
		n += keys->keys[i].length > 0;
	buf_printf(&db->dump, "princ\t38\t%zu\t0\t%u\t0\t%s\t%u\t%u\t%u\t0\t0\t0\t0\t0", strlen(name), n,
	    name, attributes, (unsigned)MAX_LIFE, (unsigned)MAX_RENEWABLE_LIFE);
	krb5_free_unparsed_name(db->ctx, name);
	for (size_t i = 0; rc == 0 && i < KDC_N_KEYS; i++)
		if (keys->keys[i].length > 0)
			rc = put_key(db, &keys->keys[i], keys->kvno, alias ? &keys->salt : NULL, e);
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
	for (size_t i = 0; i < KDC_N_SERVICE_CLASSES; i++)
		if (strlen(kdc_service_classes[i]) == (size_t)(slash - service) &&
		    strncasecmp(kdc_service_classes[i], service, (size_t)(slash - service)) == 0)
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
		    : put_entry(db, who, attributes, keys, false, e);
		krb5_free_principal(db->ctx, who);
	}
	return rc;
}

/*
 * Enterprise names (RFC 6806 5): one component with the @ in it. AD takes them for aliases and answers with
 * the account's name; krb5kdc knows no aliases, so each is an entry of its own with the account's keys.
 */
static int
put_upn(struct database *db, const char *upn, unsigned attributes, const struct key_set *keys, struct err *e)
{
	krb5_principal who;
	int rc;

	if (krb5_build_principal(
		db->ctx, &who, (unsigned)strlen(db->files->realm), db->files->realm, upn, (char *)NULL) != 0)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	rc = put_entry(db, who, attributes | DISALLOW_SVR, keys, true, e);
	krb5_free_principal(db->ctx, who);
	return rc;
}

/* The account's own, and those that every account has, where they are nobody else's (MS-ADTS 5.1.1.1.1). */
static int
put_upns(struct database *db, const struct kdc_accounts *all, const struct kdc_account *a,
    unsigned attributes, const struct key_set *keys, struct err *e)
{
	const char *const domains[] = { db->files->domain, db->files->realm };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(domains); i++) {
		char implicit[512];
		int n = snprintf(implicit, sizeof(implicit), "%s@%s", a->name, domains[i]);

		if (n < (int)sizeof(implicit) && kdc_accounts_find_upn(all, implicit) == NULL)
			rc = put_upn(db, implicit, attributes, keys, e);
	}
	return rc == 0 && a->upn != NULL ? put_upn(db, a->upn, attributes, keys, e) : rc;
}

int
kdc_account_put(struct database *db, const struct kdc_accounts *all, const struct kdc_account *a, bool gone,
    const char *host, struct err *e)
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
		rc = put_entry(db, who, attributes, &keys, false, e) != 0 ||
			put_services(db, a, host, off, &keys, e) != 0 ||
			put_upns(db, all, a, attributes, &keys, e) != 0
		    ? -1
		    : 0;
	kdc_key_set_wipe(db, &keys);
	krb5_free_principal(db->ctx, who);
	return rc;
}

int
kdc_entry_put(struct database *db, krb5_const_principal who, const struct key_set *keys, struct err *e)
{
	return put_entry(db, who, 0, keys, false, e);
}

int
kdc_upn_shut(struct database *db, const char *upn, struct err *e)
{
	const struct key_set none = { .kvno = 1 };

	return put_upn(db, upn, DISALLOW_ALL_TIX, &none, e);
}
