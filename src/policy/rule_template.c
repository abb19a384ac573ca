/*
 * Steps 16 to 19: which template the request names, and whether this CA issues it (MS-WCCE 3.2.2.6.2.1.4.1,
 * 4.2, 4.7).
 */
#include <string.h>
#include <strings.h>

#include "policy/rule_priv.h"

static const char unsupported[] =
    "The request was for a certificate template that is not supported by the Active "
    "Directory Certificate Services policy: %s.";

static const struct policy_template *
by_cn(const struct policy_input *in, const char *cn)
{
	for (size_t i = 0; i < in->n_templates; i++)
		if (policy_name_equal(in->templates[i].cn, cn))
			return &in->templates[i];
	return NULL;
}

static const struct policy_template *
by_oid(const struct policy_input *in, const char *oid)
{
	for (size_t i = 0; i < in->n_templates; i++)
		if (in->templates[i].oid != NULL && strcmp(in->templates[i].oid, oid) == 0)
			return &in->templates[i];
	return NULL;
}

static const struct policy_template *
by_display_name(const struct policy_input *in, const char *name)
{
	for (size_t i = 0; i < in->n_templates; i++)
		if (in->templates[i].display_name != NULL &&
		    policy_name_equal(in->templates[i].display_name, name))
			return &in->templates[i];
	return NULL;
}

/* The first identifier that disagrees decides; later ones are not looked at. */
static void
settle_one(struct settled *s, const char *where, const char *given, const struct policy_template *found)
{
	if (given == NULL || s->status == SETTLE_UNKNOWN || s->status == SETTLE_CONFLICT)
		return;
	s->first_where = s->where;
	s->first_given = s->given;
	s->where = where;
	s->given = given;
	if (found == NULL) {
		s->status = SETTLE_UNKNOWN;
	} else if (s->template != NULL && s->template != found) {
		s->status = SETTLE_CONFLICT;
	} else {
		s->status = SETTLE_OK;
		s->template = found;
	}
}

void
template_settle(const struct policy_input *in, struct settled *out)
{
	const struct x509_request *r = in->request;

	*out = (struct settled){ .status = SETTLE_NONE };
	if (r->template_name != NULL)
		settle_one(
		    out, "extension " OID_ENROLL_CERTTYPE, r->template_name, by_cn(in, r->template_name));
	if (r->template_oid != NULL)
		settle_one(
		    out, "extension " OID_CERTIFICATE_TEMPLATE, r->template_oid, by_oid(in, r->template_oid));
	for (size_t i = 0; i < in->n_attributes; i++)
		if (strcasecmp(in->attributes[i].name, "CertificateTemplate") == 0)
			settle_one(out, "attribute CertificateTemplate", in->attributes[i].value,
			    by_cn(in, in->attributes[i].value));
}

bool
policy_needs_subject(const struct policy_input *in)
{
	struct settled s;

	template_settle(in, &s);
	return s.status == SETTLE_OK && !rule_supplied(s.template);
}

static bool
is_published(const struct policy_input *in, const char *cn)
{
	for (size_t i = 0; i < in->published->n; i++)
		if (policy_name_equal(in->published->v[i], cn))
			return true;
	return false;
}

static void
set_unsupported(struct eval *ev, const char *name)
{
	ev->out->policy_text = pool_printf(ev->pool, unsupported, name);
}

static int
refuse_unknown(struct eval *ev, const struct settled *s)
{
	const struct policy_template *meant = by_display_name(ev->in, s->given);

	set_unsupported(ev, s->given);
	if (meant != NULL) {
		rule_fix(ev, "\"%s\" is the display name: name the template by its Template name, \"%s\"",
		    s->given, meant->cn);
		return rule_refuse(ev, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		    "%s names \"%s\", which is the display name of %s", s->where, s->given, meant->cn);
	}
	if (is_published(ev->in, s->given)) {
		rule_fix(ev,
		    "Certificate Templates console > %s: repair the attribute that cannot be read (the "
		    "server's "
		    "log names it), or recreate the template",
		    s->given);
		return rule_refuse(ev, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		    "%s names \"%s\", which this CA lists but which is missing in the directory or not "
		    "loadable",
		    s->where, s->given);
	}
	rule_fix(ev,
	    "Certificate Templates console: check the Template name on the General tab, or duplicate a "
	    "template "
	    "under the name \"%s\"; then Certification Authority console > Certificate Templates > New > "
	    "Certificate "
	    "Template to Issue",
	    s->given);
	return rule_refuse(ev, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
	    "%s names \"%s\", and the directory has no such template", s->where, s->given);
}

int
check_template_named(struct eval *ev)
{
	struct settled s;

	template_settle(ev->in, &s);
	if (s.status == SETTLE_NONE) {
		ev->out->policy_text = "The request does not contain a certificate template extension or the "
				       "CertificateTemplate request attribute.";
		rule_fix(ev,
		    "send the request attribute CertificateTemplate:<Template name>, or put the template "
		    "extension "
		    "into the request");
		return rule_refuse(ev, CERTSRV_E_NO_CERT_TYPE,
		    "neither a template extension nor the attribute CertificateTemplate is in the request");
	}
	if (s.status == SETTLE_UNKNOWN)
		return refuse_unknown(ev, &s);
	return rule_pass(ev, "%s names \"%s\"", s.where, s.given);
}

int
check_template_single(struct eval *ev)
{
	struct settled s;

	template_settle(ev->in, &s);
	if (s.status == SETTLE_CONFLICT) {
		rule_fix(ev, "name one template: drop %s or %s", s.first_where, s.where);
		return rule_refuse(ev, CERTSRV_E_TEMPLATE_CONFLICT, "%s names \"%s\", %s names \"%s\"",
		    s.first_where, s.first_given, s.where, s.given);
	}
	ev->t = ev->out->template = s.template;
	return rule_pass(ev, "template %s, schema version %u, version %u.%u", ev->t->cn,
	    ev->t->schema_version, ev->t->major, ev->t->minor);
}

int
check_template_published(struct eval *ev)
{
	const char *cn = ev->t->cn;

	if (is_published(ev->in, cn))
		return rule_pass(
		    ev, "%s is among the %zu templates this CA issues", cn, ev->in->published->n);
	set_unsupported(ev, cn);
	rule_fix(ev,
	    "Certification Authority console > %s > Certificate Templates > New > Certificate Template to "
	    "Issue: "
	    "%s",
	    ev->ca->ca_name, ev->t->display_name != NULL ? ev->t->display_name : cn);
	return rule_refuse(ev, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
	    "%s is not among the %zu templates this CA issues", cn, ev->in->published->n);
}

static const char *
server_name(unsigned version)
{
	static const char *const names[] = { "Windows Server 2003", "Windows Server 2008",
		"Windows Server 2008 R2", "Windows Server 2012", "Windows Server 2012 R2",
		"Windows Server 2016" };

	return version >= 1 && version <= ARRAY_LEN(names) ? names[version - 1] : "a later Windows Server";
}

/*
 * Schema 3 came with Windows Server 2008, schema 4 and the compatibility levels with 2012 (compatibility.md
 * 4). The level is among the private key flags, which bind from schema 2 on.
 */
int
check_template_compatible(struct eval *ev)
{
	const struct policy_template *t = ev->t;
	unsigned version = ev->ca->ca_version;
	unsigned max_schema = version >= 4 ? 4 : version >= 2 ? 3 : 2;
	unsigned level = (t->private_key_flags & CT_FLAG_SERVER_VERSION_MASK) >> 16;

	if (t->schema_version > max_schema) {
		set_unsupported(ev, t->cn);
		rule_fix(ev,
		    "Certificate Templates console: duplicate %s for a Certification Authority of %s or "
		    "earlier",
		    t->cn, server_name(version));
		return rule_refuse(ev, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		    "%s has schema version %u, a CA of %s loads at most %u", t->cn, t->schema_version,
		    server_name(version), max_schema);
	}
	if (t->schema_version >= 2 && version >= 4 && level > version) {
		set_unsupported(ev, t->cn);
		rule_fix(ev,
		    "Certificate Templates console > %s > Properties > Compatibility: Certification "
		    "Authority = %s or "
		    "earlier",
		    t->cn, server_name(version));
		return rule_refuse(ev, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		    "%s asks for a CA of level %u (%s), this one is %u (%s)", t->cn, level,
		    server_name(level), version, server_name(version));
	}
	return rule_pass(ev, "schema version %u and CA level %u suit a CA of %s", t->schema_version, level,
	    server_name(version));
}

int
check_template_version(struct eval *ev)
{
	const struct x509_request *r = ev->request;
	const struct policy_template *t = ev->t;

	if (!r->has_template_version)
		return rule_pass(ev, "the request names no template version");
	if (r->template_major > t->major || r->template_minor > t->minor) {
		rule_fix(ev,
		    "wait until the directory has replicated, or make the request again from template "
		    "version %u.%u",
		    t->major, t->minor);
		return rule_refuse(ev, CERTSRV_E_BAD_TEMPLATE_VERSION,
		    "the request was made from version %u.%u, %s is at %u.%u", r->template_major,
		    r->template_minor, t->cn, t->major, t->minor);
	}
	return rule_pass(ev, "the request was made from version %u.%u, %s is at %u.%u", r->template_major,
	    r->template_minor, t->cn, t->major, t->minor);
}

int
apply_template_id(struct eval *ev)
{
	const struct policy_template *t = ev->t;
	const char *oid = t->schema_version >= 2 ? OID_CERTIFICATE_TEMPLATE : OID_ENROLL_CERTTYPE;

	if (t->schema_version >= 2)
		return rule_put(ev, oid, rule_listed(t->critical, oid), t->ext.template_id,
		    "%s, version %u.%u", t->oid, t->major, t->minor);
	return rule_put(ev, oid, rule_listed(t->critical, oid), t->ext.template_id, "%s", t->cn);
}
