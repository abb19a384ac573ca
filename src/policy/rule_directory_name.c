/*
 * Step 33, names built from the requester's directory object (MS-WCCE 3.2.2.6.2.1.4.4.1, 4.5.9; issuance.md
 * 3.2).
 */
#include <string.h>

#include "policy/rule_priv.h"

#define OID_COMMON_NAME "2.5.4.3"
#define OID_EMAIL_ADDRESS "1.2.840.113549.1.9.1"

/* The addresses of a certificate are IA5Strings. */
static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static bool
is_absent(const char *s)
{
	return s == NULL || s[0] == '\0';
}

static void
fix_supply(struct eval *ev, const char *attribute)
{
	rule_fix(ev,
	    "Certificate Templates console > %s > Properties > Subject Name: Supply in the request if the "
	    "names belong "
	    "to someone else than %s; else set the attribute %s of that account in the directory",
	    ev->t->cn, rule_subject_account(ev), attribute);
}

/* *out: the host name, required; refuses else. */
static int
need_dns(struct eval *ev, const char **out)
{
	*out = ev->in->subject->dns_host_name;
	if (!is_absent(*out) && is_ascii(*out))
		return 0;
	fix_supply(ev, "dNSHostName");
	return rule_refuse(ev, CERTSRV_E_SUBJECT_DNS_REQUIRED, "%s has %s", rule_subject_account(ev),
	    is_absent(*out) ? "no dNSHostName" : "a dNSHostName with characters outside ASCII");
}

/* *out: NULL when there is none and EDITF_EMAILOPTIONAL lets that pass. */
static int
need_mail(struct eval *ev, const char **out)
{
	*out = ev->in->subject->mail;
	if (!is_absent(*out) && is_ascii(*out))
		return 0;
	if (is_absent(*out) && (ev->ca->edit_flags & EDITF_EMAILOPTIONAL)) {
		*out = NULL;
		return 0;
	}
	fix_supply(ev, "mail");
	return rule_refuse(ev, CERTSRV_E_SUBJECT_EMAIL_REQUIRED, "%s has %s", rule_subject_account(ev),
	    is_absent(*out) ? "no mail address" : "a mail address with characters outside ASCII");
}

static int
need_upn(struct eval *ev, const char **out)
{
	const struct policy_subject *s = ev->in->subject;

	*out = s->upn;
	if (!is_absent(*out))
		return 0;
	if (ev->ca->upn_fallback && !is_absent(s->sam) && !is_absent(ev->ca->dns_domain)) {
		*out = pool_printf(ev->pool, "%s@%s", s->sam, ev->ca->dns_domain);
		return *out != NULL ? 0 : rule_nomem(ev);
	}
	fix_supply(ev, "userPrincipalName");
	return rule_refuse(
	    ev, CERTSRV_E_SUBJECT_UPN_REQUIRED, "%s has no userPrincipalName", rule_subject_account(ev));
}

/* Names not supplied in the request need the directory object; who asks to evaluate must have fetched it. */
static int
need_subject(struct eval *ev)
{
	if (ev->in->subject != NULL)
		return 0;
	return ERR(
	    ev->e, E_UNEXPECTED, "the directory attributes of %s were not fetched", rule_subject_account(ev));
}

int
check_machine_name(struct eval *ev)
{
	const uint32_t names = CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME | CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN |
	    CT_FLAG_SUBJECT_ALT_REQUIRE_DNS;
	const char *host;

	if (rule_supplied(ev->t))
		return rule_skipped(ev, "the names are supplied in the request");
	if (!(ev->t->general_flags & CT_FLAG_MACHINE_TYPE) || !(ev->t->name_flags & names))
		return rule_pass(ev, "no host name is required");
	if (need_subject(ev) != 0 || need_dns(ev, &host) != 0)
		return -1;
	return rule_pass(ev, "computer template: dNSHostName is %s", host);
}

/* ---- subject ---- */

/* The RDNs of the requester's DN, root first. */
static int
put_directory_path(struct eval *ev, struct buf *rdns)
{
	const char *dn = ev->in->subject->dn;
	struct buf name;
	struct der d;
	struct der_item item;
	struct err why = { .msg = "no distinguishedName" };
	bool ok;

	buf_init(&name, 64 * 1024);
	ok = dn != NULL && x509_name_from_dn(&name, dn, &why) == 0 && buf_ok(&name);
	if (ok) {
		d = der_over(buf_bytes(&name));
		ok = der_expect(&d, DER_SEQUENCE, &item, "name", &why) == 0;
	}
	if (ok)
		buf_put_bytes(rdns, item.body);
	buf_fini(&name);
	if (ok)
		return 0;
	return rule_refuse(
	    ev, CERTSRV_E_BAD_REQUESTSUBJECT, "DN of %s: %s", rule_subject_account(ev), why.msg);
}

/* Computers are named by dNSHostName, users by cn; DNS_AS_CN wants the host name of whoever asks. */
static int
put_common_name(struct eval *ev, struct buf *rdns)
{
	bool machine = (ev->t->general_flags & CT_FLAG_MACHINE_TYPE) != 0;
	const char *cn = ev->in->subject->cn;

	if ((machine || (ev->t->name_flags & CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN)) && need_dns(ev, &cn) != 0)
		return -1;
	if (is_absent(cn))
		return rule_refuse(
		    ev, CERTSRV_E_BAD_REQUESTSUBJECT, "%s has no cn", rule_subject_account(ev));
	x509_put_attribute(rdns, OID_COMMON_NAME, cn);
	return 0;
}

static int
put_subject(struct eval *ev, struct buf *rdns)
{
	uint32_t flags = ev->t->name_flags;
	const char *mail;

	if (flags & CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH) {
		if (put_directory_path(ev, rdns) != 0)
			return -1;
	} else if (flags & (CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME | CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN)) {
		if (put_common_name(ev, rdns) != 0)
			return -1;
	}
	if (flags & CT_FLAG_SUBJECT_REQUIRE_EMAIL) {
		if (need_mail(ev, &mail) != 0)
			return -1;
		if (mail != NULL)
			x509_put_attribute(rdns, OID_EMAIL_ADDRESS, mail);
	}
	return 0;
}

int
check_directory_subject(struct eval *ev)
{
	struct buf *b = &ev->scratch;
	size_t name;

	if (rule_supplied(ev->t))
		return rule_skipped(ev, "the subject is supplied in the request");
	if (need_subject(ev) != 0)
		return -1;
	name = der_open(b, DER_SEQUENCE);
	if (put_subject(ev, b) != 0)
		return -1;
	der_close(b, name);
	if (!buf_ok(b))
		return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT,
		    "the names of %s in the directory cannot be encoded", rule_subject_account(ev));
	if (rule_keep(ev, &ev->subject) != 0)
		return -1;
	if (x509_name_to_text(b, ev->subject, NULL) != 0)
		buf_reset(b);
	return rule_pass(ev, "subject from the directory: %s", rule_keep_text(ev));
}

/* ---- subject alternative name, in certificate order ---- */

static int
put_guid(struct eval *ev, struct buf *names)
{
	struct bytes guid = ev->in->subject->guid;

	if (guid.len != 16) {
		fix_supply(ev, "objectGUID");
		return rule_refuse(ev, CERTSRV_E_SUBJECT_DIRECTORY_GUID_REQUIRED, "%s has no objectGUID",
		    rule_subject_account(ev));
	}
	x509_san_put_guid(names, guid.p);
	return 0;
}

static int
put_upn(struct eval *ev, struct buf *names)
{
	const char *upn;

	if (need_upn(ev, &upn) != 0)
		return -1;
	x509_san_put_upn(names, upn);
	return 0;
}

static int
put_mail(struct eval *ev, struct buf *names)
{
	const char *mail;

	if (need_mail(ev, &mail) != 0)
		return -1;
	if (mail != NULL)
		x509_san_put_email(names, mail);
	return 0;
}

static int
put_dns(struct eval *ev, struct buf *names)
{
	const char *host;

	if (need_dns(ev, &host) != 0)
		return -1;
	x509_san_put_dns(names, host);
	return 0;
}

static int
put_domain(struct eval *ev, struct buf *names)
{
	const char *dns = ev->ca->dns_domain, *netbios = ev->ca->nb_domain;

	if (is_absent(dns) || is_absent(netbios))
		return rule_refuse(ev, CERTSRV_E_SUBJECT_DNS_REQUIRED, "the name of the domain is unknown");
	x509_san_put_dns(names, dns);
	x509_san_put_dns(names, netbios);
	return 0;
}

static const struct {
	uint32_t flags;
	int (*put)(struct eval *ev, struct buf *names);
} alternative_names[] = {
	{ CT_FLAG_SUBJECT_ALT_REQUIRE_DIRECTORY_GUID, put_guid },
	{ CT_FLAG_SUBJECT_ALT_REQUIRE_UPN | CT_FLAG_SUBJECT_ALT_REQUIRE_SPN, put_upn },
	{ CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL, put_mail },
	{ CT_FLAG_SUBJECT_ALT_REQUIRE_DNS, put_dns },
	{ CT_FLAG_SUBJECT_ALT_REQUIRE_DOMAIN_DNS, put_domain },
};

int
check_directory_san(struct eval *ev)
{
	struct buf *b = &ev->scratch;
	size_t names;

	if (rule_supplied(ev->t))
		return rule_skipped(ev, "the subject alternative name is supplied in the request");
	if (need_subject(ev) != 0)
		return -1;
	names = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < ARRAY_LEN(alternative_names); i++)
		if ((ev->t->name_flags & alternative_names[i].flags) && alternative_names[i].put(ev, b) != 0)
			return -1;
	der_close(b, names);
	if (!buf_ok(b))
		return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT,
		    "the alternative names of %s in the directory cannot be encoded",
		    rule_subject_account(ev));
	if (b->len == 2) { /* an empty SEQUENCE */
		buf_reset(b);
		return rule_pass(ev, "no alternative name from the directory");
	}
	if (rule_keep(ev, &ev->san) != 0)
		return -1;
	ev->san_critical = rule_listed(ev->t->critical, OID_SUBJECT_ALT_NAME);
	if (x509_san_to_text(b, ev->san, NULL) != 0)
		buf_reset(b);
	return rule_pass(ev, "alternative names from the directory: %s", rule_keep_text(ev));
}
