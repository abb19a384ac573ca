/* Every verb of adcsctl, in the order of the help. */
#include "ctl/admin.h"
#include "ctl/lint.h"
#include "ctl/template.h"

/* clang-format off */
static const struct ctl_option duplicate_options[] = {
	{ "name", "NAME", "General: Template name (default: the display name without spaces)" },
	{ "creator", "PRINCIPAL", "gets Full Control and owns the copy (default: the domain's Administrator)" },
	{ "show-resulting-changes", NULL, "print what the compatibility levels add and remove; save nothing" },
#define TAB(name) { "", NULL, name },
#define CONTROL(option, value, label, ...) { option, value, label },
#include "ctl/controls.def"
	{ 0 },
};
static const struct ctl_option set_options[] = {
	{ "show-resulting-changes", NULL, "print what the compatibility levels add and remove; save nothing" },
#include "ctl/controls.def"
#undef TAB
#undef CONTROL
	{ 0 },
};
static const struct ctl_option diff_options[] = {
	{ "against", "FILE", "compare with the template of this name in a file" },
	{ "domain-sid", "SID", "the domain of the file" },
	{ 0 },
};
static const struct ctl_option export_options[] = {
	{ "all", NULL, "every template of the forest" },
	{ "out", "FILE", "write there (default: standard output)" },
	{ 0 },
};
static const struct ctl_option import_options[] = {
	{ "display-name", "TEXT", "another Template display name, and the Template name that follows from it" },
	{ "replace", NULL, "overwrite templates of the same name" },
	{ "domain-sid", "SID", "the domain of the file: all its SIDs become those of this domain" },
	{ 0 },
};
static const struct ctl_option acl_show_options[] = {
	{ "sddl", NULL, "the descriptor as SDDL, nothing else" },
	{ 0 },
};
static const struct ctl_option acl_set_options[] = {
	{ "sddl", "TEXT", "D:... for the access list; O: and G: stay as they are unless given" },
	{ 0 },
};
static const struct ctl_option ca_sddl_options[] = {
	{ "sddl", "TEXT", "O:...G:...D:..., the whole descriptor" },
	{ 0 },
};
static const struct ctl_option officer_options[] = {
	{ "templates", "LIST", "only for these templates (default: all)" },
	{ "for", "LIST", "only requests of these groups and accounts (default: Everyone)" },
	{ 0 },
};
static const struct ctl_option agent_options[] = {
	{ "templates", "LIST", "only on these templates (default: all)" },
	{ "for", "LIST", "only for these groups and accounts (default: Everyone)" },
	{ 0 },
};
static const struct ctl_option rights_remove_options[] = {
	{ "templates", "LIST", "only the entries for these templates" },
	{ 0 },
};
static const struct ctl_option cert_options[] = {
	{ "index", "N", "an earlier one, by certificate index (default: the newest)" },
	{ "out", "FILE", "write there (default: standard output)" },
	{ "der", NULL, "binary DER instead of PEM" },
	{ "chain", NULL, "PEM of the whole chain" },
	{ "exchange", NULL, "the exchange certificate instead, which keys to be archived are encrypted to" },
	{ 0 },
};
static const struct ctl_option recover_options[] = {
	{ "out", "FILE", "write there (default: standard output)" },
	{ "kra", "FILE", "open it with this recovery agent's key (PEM or PKCS #12): the key as PEM, or as PKCS #12 for FILE.pfx" },
	{ "kra-password", "TEXT", "password of that file" },
	{ "password", "TEXT", "password of FILE.pfx (default: none)" },
	{ 0 },
};
static const struct ctl_option import_key_options[] = {
	{ "hash", "SHA1", "the certificate, instead of ID" },
	{ "force", NULL, "replace a key that is archived already" },
	{ 0 },
};
static const struct ctl_option list_options[] = {
	{ "state", "issued|pending|denied|failed|revoked", "only these" },
	{ "after", "ID", "requests with a higher id" },
	{ "limit", "N", "at most N (default 100)" },
	{ 0 },
};
static const struct ctl_option show_options[] = {
	{ "cert", "FILE", "write the issued certificate there (PEM; '-' for standard output)" },
	{ 0 },
};
static const struct ctl_option fault_options[] = {
	{ "as", "ACCOUNT", "only calls of this account, DOMAIN\\name as the journal writes it" },
	{ "skip", "N", "so many calls go well first" },
	{ "times", "N", "so many calls go wrong, then all is well again (default: all)" },
	{ "for", "PERIOD", "as long as this, in real time (default: until it is cleared, or the server ends)" },
	{ 0 },
};
static const struct ctl_option access_options[] = {
	{ "ca", NULL, "the CA instead of a template" },
	{ "as", "PRINCIPAL", "only this account, with all its groups: exit code 0 when it may enroll, 4 when not" },
	{ 0 },
};
static const struct ctl_option rehearse_options[] = {
	{ "as", "PRINCIPAL", "the account that would ask: CORP\\name, name, a UPN or a SID" },
	{ "template", "NAME", "the template it would name (default: what the request itself says)" },
	{ "csr", "FILE", "a request as a client made it: PKCS #10, DER, PEM or base64 ('-' for standard input)" },
	{ "subject", "DN", "without --csr: the subject, \"CN=device, O=Contoso\" (default: empty)" },
	{ "san", "LIST", "without --csr: names as dns:, upn:, email:, url:, ipaddress:, dn:, guid:, oid:" },
	{ "key", "TYPE", "without --csr: rsa:BITS, ec:P-256, ec:P-384, ec:P-521 (default rsa:2048)" },
	{ "attrib", "NAME:VALUE", "request attributes; \\n between several, as in certreq -attrib" },
	{ "matrix", NULL, "every published template for every account, as one table" },
	{ "templates", "LIST", "of the table: only these templates, published or not" },
	{ "all-templates", NULL, "of the table: unpublished templates too" },
	{ "principals", "LIST", "of the table: only these accounts" },
	{ "csv", NULL, "the table as comma-separated values" },
	{ "against", "FILE.ldif", "an export instead of the server's directory; with --as one request, else the table" },
	{ "settings", "FILE.json", "of the exports: the CA's settings, 'adcsctl --json ca show' of it or a part (default: a new CA's)" },
	{ "before", "FILE.ldif", "with --after: whose outcome changes from one export to the other; exit code 4 when some do" },
	{ "after", "FILE.ldif", "the other export" },
	{ 0 },
};
static const struct ctl_option enroll_options[] = {
	{ "ca", "HOST\\CA", "as --config" },
	{ "template", "NAME", "the template's name" },
	{ "csr", "FILE", "a request: PKCS #10, CMS or CMC, DER, PEM or base64 ('-' for standard input)" },
	{ "subject", "DN", "without --csr: the subject, \"CN=device, O=Contoso\" (default: empty)" },
	{ "san", "LIST", "without --csr: names as dns:, upn:, email:, url:, ipaddress:, dn:, guid:, oid:" },
	{ "key", "TYPE", "without --csr: rsa:BITS, ec:P-256, ec:P-384, ec:P-521 (default rsa:2048)" },
	{ "out-key", "FILE", "without --csr: where the new private key goes (PKCS #8, PEM); never written over" },
	{ "attrib", "NAME:VALUE", "request attributes; \\n between several, as in certreq -attrib" },
	{ "retrieve", "ID", "ask for an earlier request once" },
	{ "poll", "ID", "ask for an earlier request until somebody has decided" },
	{ "interval", "SECONDS", "of --poll (default 10)" },
	{ "transport", "dcom|icpr", "ICertRequestD2 (MS-WCCE, the default) or ICertPassage (MS-ICPR)" },
	{ "full-response", NULL, "ask for a CMC full response instead of PKCS #7" },
	{ "out", "FILE", "the certificate in PEM (default: standard output)" },
	{ "out-chain", "FILE", "the PKCS #7 or CMC full response as it came" },
	{ 0 },
};
static const struct ctl_option bench_options[] = {
	{ "connections", "N", "kept connections, sealed (default 8)" },
	{ "principals", "FILE", "accounts they take in turn, lines of DOMAIN\\name:password; tickets for them with --kerberos (default: --user, the ticket cache)" },
	{ "template", "NAME", "what is asked for (default User)" },
	{ "requests", "N", "certificates to be measured (default 4000; 0: none)" },
	{ "warm-up", "N", "certificates before that (default 200)" },
	{ "csrs", "N", "different requests, made beforehand (default 16)" },
	{ "key", "TYPE", "their keys: rsa:BITS, ec:P-256, ... (default rsa:2048)" },
	{ "openssl-speed", "NAME", "run openssl speed NAME before and after, for the ratio: rsa2048, ecdsap256" },
	{ "transport", "icpr|dcom", "ICertPassage (the default) or ICertRequestD2" },
	{ "activations", "N", "DCOM activations, each on a new authenticated connection" },
	{ "calls", "N", "sealed calls that do nothing, on one kept connection" },
	{ "idle", "N", "open so many authenticated connections first: how fast they log on, and the server's memory" },
	{ 0 },
};
static const struct ctl_option lint_options[] = {
	{ "template", "NAME", "only this template, not CAs and other objects" },
	{ "against", "FILE.ldif", "a forest exported by ldapsearch or ldifde instead of the directory" },
	{ "what-if", "FILE.ldif", "as if these objects were in it; attributes named replace those that are there" },
	{ "settings", "FILE.json", "CA settings: 'adcsctl --json ca show' of the CA, or a part of it" },
	{ "format", "text|json|sarif", "default: text" },
	{ "severity", "info|warning|error", "show findings from there on (default: info)" },
	{ "fail-on", "info|warning|error|never", "exit code 4 from there on (default: warning)" },
	{ "ignore", "ID,...", "leave these findings out" },
	{ "trust", "PRINCIPAL,...", "findings about these alone are information" },
	{ "profile", "intune-pkcs", "the traps of the how-to for PKCS certificates, too; needs --template" },
	{ "connector", "PRINCIPAL", "with --profile: the connector's account; trusted" },
	{ 0 },
};
static const struct ctl_option set_extension_options[] = {
	{ "file", "FILE", "the value, as it is ('-' for standard input)" },
	{ "text", "TEXT", "the value, an IA5String" },
	{ "number", "N", "the value, an INTEGER" },
	{ "date", "TIME", "the value, a time (2026-06-01T12:00:00Z)" },
	{ "critical", NULL, "a critical extension" },
	{ "disable", NULL, "not in the certificate, whatever request and template say" },
	{ 0 },
};
static const struct ctl_option delete_options[] = {
	{ "expired-before", "TIME", "every request whose certificate expired before that (2026-06-01T12:00:00Z)" },
	{ "not-issued-before", "TIME", "every request pending, denied or failed since before that" },
	{ "extensions", NULL, "only the extensions of the request" },
	{ "attributes", NULL, "only the attributes of the request" },
	{ 0 },
};
static const struct ctl_option crl_delete_options[] = {
	{ "expired-before", "TIME", "every CRL whose next update was before that" },
	{ 0 },
};
static const struct ctl_option import_request_options[] = {
	{ "pending", NULL, "into the row of the pending request with the same key" },
	{ 0 },
};
static const struct ctl_option revoke_options[] = {
	{ "reason", "REASON", "unspecified (default), keyCompromise, cACompromise, affiliationChanged, superseded, "
	    "cessationOfOperation, certificateHold, removeFromCRL" },
	{ "at", "TIME", "revoked from then on (2026-06-01T12:00:00Z; default: now)" },
	{ "serial", "HEX", "by serial number instead of ID" },
	{ 0 },
};
static const struct ctl_option publish_expired_options[] = {
	{ "serial", "HEX", "by serial number instead of ID" },
	{ "off", NULL, "let it leave the CRL again" },
	{ 0 },
};
static const struct ctl_option unrevoke_options[] = {
	{ "serial", "HEX", "by serial number instead of ID" },
	{ 0 },
};
static const struct ctl_option renew_options[] = {
	{ "new-key", NULL, "a new public and private key pair (default: the key stays)" },
	{ "key", "TYPE", "with --new-key: RSA-2048, RSA-3072, RSA-4096, P-256, P-384 (default: as it is, or RenewalKeyLength)" },
	{ "validity", "\"N UNIT\"", "\"10 Years\" (default: RenewalValidityPeriod); of a root" },
	{ "out", "FILE", "a CA below another one: its request goes there (default: standard output)" },
	{ "certificate", "FILE", "a CA below another one: what that one issued for the request (PEM, alone or with its chain)" },
	{ 0 },
};
static const struct ctl_option crl_publish_options[] = {
	{ "until", "TIME", "valid until then, and the overlap (2026-06-01T12:00:00Z; default: the CRL period)" },
	{ "delta", NULL, "a delta CRL only (default: a base CRL, and a delta)" },
	{ "republish", NULL, "the newest ones once more" },
	{ 0 },
};
static const struct ctl_option crl_get_options[] = {
	{ "out", "FILE", "write there (default: standard output)" },
	{ "delta", NULL, "the delta CRL" },
	{ "key", "INDEX", "of an earlier key of the CA (default: the current one)" },
	{ "der", NULL, "binary DER instead of PEM" },
	{ 0 },
};
static const struct ctl_option pki_add_options[] = {
	{ "host", "NAME", "of a CRL: the container in CN=CDP, by the CA's host name (default: the CA's name)" },
	{ 0 },
};
static const struct ctl_option view_options[] = {
	{ "table", "requests|extensions|attributes|crl", "default: requests" },
	{ "restrict", "LIST", "NAME=VALUE, <, <=, >=, >, all of which hold: NotAfter<=now+30d,Disposition=20; +NAME or -NAME sorts" },
	{ "columns", "NAME,...", "these, or all (default: a choice)" },
	{ "out", "text|csv|json", "default: text" },
	{ "limit", "N", "at most N rows" },
	{ 0 },
};
static const struct ctl_option audit_options[] = {
	{ "after", "N", "events with a higher number" },
	{ "limit", "N", "at most N (default 100, the newest)" },
	{ "follow", NULL, "go on with what comes, until interrupted; with --json a line for each" },
	{ 0 },
};
static const struct ctl_option journal_options[] = {
	{ "after", "N", "records with a higher number" },
	{ "limit", "N", "at most N (default 100, the newest)" },
	{ 0 },
};

const struct ctl_verb ctl_verbs[] = {
	{ "template", "list", "", 0, 0, NULL, "templates of the forest", ctl_template_list },
	{ "template", "show", "NAME", 1, 1, NULL, "one template, every attribute decoded", ctl_template_show },
	{ "template", "duplicate", "NAME", 1, 1, duplicate_options, "Duplicate Template", ctl_template_duplicate },
	{ "template", "set", "NAME", 1, 1, set_options, "change controls of a template", ctl_template_set },
	{ "template", "reenroll", "NAME", 1, 1, NULL, "Reenroll All Certificate Holders", ctl_template_reenroll },
	{ "template", "diff", "NAME [OTHER]", 1, 2, diff_options, "compare control by control: exit code 0 equal, 1 different",
	    ctl_template_diff },
	{ "template", "export", "NAME...", 0, 256, export_options, "templates and their OID objects as LDIF", ctl_template_export },
	{ "template", "import", "FILE", 1, 1, import_options, "templates from LDIF, or JSON of ADCSTemplate or AWS", ctl_template_import },
	{ "template", "delete", "NAME", 1, 1, NULL, "delete a template; CAs that publish it keep its name", ctl_template_delete },
	{ "template", "acl show", "NAME", 1, 1, acl_show_options, "the Security tab", ctl_template_acl_show },
	{ "template", "acl set", "NAME", 1, 1, acl_set_options, "replace the access list", ctl_template_acl_set },
	{ "template", "acl grant", "NAME PRINCIPAL RIGHT...", 3, 8, NULL,
	    "allow Read, Write, Enroll, Autoenroll, FullControl", ctl_template_acl_grant },
	{ "template", "acl deny", "NAME PRINCIPAL RIGHT...", 3, 8, NULL, "deny the same rights", ctl_template_acl_deny },
	{ "template", "acl remove", "NAME PRINCIPAL [RIGHT...]", 2, 8, NULL, "remove a principal's entries, or these rights of it",
	    ctl_template_acl_remove },
	{ "ca", "show", "", 0, 0, NULL, "the CA: names, key, settings, published templates", ctl_ca_show },
	{ "ca", "publish", "TEMPLATE...", 1, 64, NULL, "Certificate Template to Issue", ctl_ca_publish },
	{ "ca", "unpublish", "TEMPLATE...", 1, 64, NULL, "stop issuing a template", ctl_ca_unpublish },
	{ "ca", "set-templates", "TEMPLATE...", 1, 256, NULL, "certutil -SetCATemplates: these, in this order, and no others",
	    ctl_ca_set_templates },
	{ "ca", "audit-filter", "NUMBER", 1, 1, NULL, "CA\\AuditFilter, as an auditor may set it, too", ctl_ca_audit_filter },
	{ "ca", "acl show", "", 0, 0, NULL, "the Security tab of the CA", ctl_ca_acl_show },
	{ "ca", "acl grant", "PRINCIPAL RIGHT...", 2, 8, NULL,
	    "allow Read, IssueAndManageCertificates, ManageCA, RequestCertificates", ctl_ca_acl_grant },
	{ "ca", "acl deny", "PRINCIPAL RIGHT...", 2, 8, NULL, "deny the same rights", ctl_ca_acl_deny },
	{ "ca", "acl remove", "PRINCIPAL", 1, 1, NULL, "remove a principal's entries", ctl_ca_acl_remove },
	{ "ca", "roles", "", 0, 0, NULL, "what you may do with the CA (GetMyRoles)", ctl_ca_roles },
	{ "ca", "acl set", "", 0, 0, ca_sddl_options, "replace the access list", ctl_ca_acl_set },
	{ "ca", "officer-rights show", "", 0, 0, NULL, "the Certificate Managers tab", ctl_officer_rights_show },
	{ "ca", "officer-rights allow", "PRINCIPAL", 1, 1, officer_options,
	    "restrict certificate managers: whom this one may decide about", ctl_officer_rights_allow },
	{ "ca", "officer-rights deny", "PRINCIPAL", 1, 1, officer_options, "whom it may not", ctl_officer_rights_deny },
	{ "ca", "officer-rights remove", "PRINCIPAL", 1, 1, rights_remove_options, "take its entries out",
	    ctl_officer_rights_remove },
	{ "ca", "officer-rights set", "", 0, 0, ca_sddl_options, "the whole list", ctl_officer_rights_set },
	{ "ca", "officer-rights clear", "", 0, 0, NULL, "Do not restrict certificate managers", ctl_officer_rights_clear },
	{ "ca", "agent-rights show", "", 0, 0, NULL, "the Enrollment Agents tab", ctl_agent_rights_show },
	{ "ca", "agent-rights allow", "PRINCIPAL", 1, 1, agent_options,
	    "restrict enrollment agents: for whom this one may enroll", ctl_agent_rights_allow },
	{ "ca", "agent-rights deny", "PRINCIPAL", 1, 1, agent_options, "for whom it may not", ctl_agent_rights_deny },
	{ "ca", "agent-rights remove", "PRINCIPAL", 1, 1, rights_remove_options, "take its entries out",
	    ctl_agent_rights_remove },
	{ "ca", "agent-rights set", "", 0, 0, ca_sddl_options, "the whole list", ctl_agent_rights_set },
	{ "ca", "agent-rights clear", "", 0, 0, NULL, "Do not restrict enrollment agents", ctl_agent_rights_clear },
	{ "ca", "role-separation", "on|off", 1, 1, NULL, "certutil -setreg CA\\RoleSeparationEnabled", ctl_ca_role_separation },
	{ "ca", "get", "[NAME]", 0, 1, NULL, "certutil -getreg: settings by registry name (policy\\EditFlags)", ctl_ca_get },
	{ "ca", "set", "NAME VALUE...", 2, 32, NULL,
	    "certutil -setreg: +FLAG -FLAG change flags, +VALUE -VALUE lists; at once and for good", ctl_ca_set },
	{ "ca", "unset", "NAME", 1, 1, NULL, "certutil -delreg: back to the settings file", ctl_ca_unset },
	{ "ca", "cert", "", 0, 0, cert_options, "the CA certificate, as certutil -ca.cert gives it", ctl_ca_cert },
	{ "ca", "renew", "", 0, 0, renew_options, "Renew CA Certificate: with the same key, or a new one", ctl_ca_renew },
	{ "ca", "kra list", "", 0, 0, NULL, "key recovery agents: state, and how many are used", ctl_ca_kra_list },
	{ "ca", "kra add", "FILE", 1, 1, NULL, "add a recovery agent's certificate; from the first one on keys are archived",
	    ctl_ca_kra_add },
	{ "ca", "kra remove", "INDEX", 1, 1, NULL, "take one out of the list; keys archived for it stay its", ctl_ca_kra_remove },
	{ "ca", "kra use", "N", 1, 1, NULL, "Number of recovery agents to use; 0: do not archive keys", ctl_ca_kra_use },
	{ "request", "list", "", 0, 0, list_options, "requests in the CA's database", ctl_request_list },
	{ "request", "show", "ID", 1, 1, show_options, "one request", ctl_request_show },
	{ "request", "explain", "ID", 1, 1, NULL, "why it was issued, left pending or denied", ctl_request_explain },
	{ "request", "issue", "ID", 1, 1, NULL, "issue a pending request", ctl_request_issue },
	{ "request", "deny", "ID", 1, 1, NULL, "deny a pending request", ctl_request_deny },
	{ "request", "recover-key", "ID", 1, 1, recover_options, "the archived key, as certutil -getkey and -recoverkey do",
	    ctl_request_recover_key },
	{ "request", "import-key", "ID|--hash SHA1 FILE", 1, 2, import_key_options,
	    "archive a key for an issued certificate: EnvelopedData to the exchange certificate", ctl_request_import_key },
	{ "principal", "show", "NAME", 1, 1, NULL, "the token of an account: every SID, and by which membership",
	    ctl_principal_show },
	{ "access", NULL, "TEMPLATE", 0, 1, access_options, "who may do what with a template (or --ca), and by which entry",
	    ctl_access },
	{ "rehearse", NULL, "", 0, 0, rehearse_options, "what a request would get, and why; nothing is stored",
	    ctl_rehearse },
	{ "enroll", NULL, "", 0, 0, enroll_options, "submit a request to a CA over RPC as a user, poll, retrieve", ctl_enroll },
	{ "bench", NULL, "", 0, 0, bench_options, "load a CA: certificates per second, latencies, CPU of a local server", ctl_bench },
	{ "lint", NULL, "", 0, 0, lint_options, "what is dangerous, contradictory or dead (ESC1 to ESC16 and more)", ctl_lint },
	{ "request", "set-extension", "ID OID", 2, 2, set_extension_options,
	    "certutil -setextension: of a pending request's certificate to be", ctl_request_set_extension },
	{ "request", "set-attributes", "ID NAME:VALUE...", 2, 64, NULL, "certutil -setattributes: of a pending request",
	    ctl_request_set_attributes },
	{ "request", "delete", "[ID]", 0, 1, delete_options, "certutil -deleterow: rows of the database, for good",
	    ctl_request_delete },
	{ "request", "import", "FILE", 1, 1, import_request_options,
	    "certutil -importcert: a certificate of this CA that its database lacks (DER or PEM)", ctl_request_import },
	{ "request", "revoke", "ID|--serial HEX", 0, 1, revoke_options, "revoke a certificate", ctl_request_revoke },
	{ "request", "publish-expired", "ID|--serial HEX", 0, 1, publish_expired_options,
	    "keep a revoked certificate on the CRL when it has expired", ctl_request_publish_expired },
	{ "request", "valid", "SERIAL", 1, 1, NULL, "is the certificate valid, revoked, or none of this CA?", ctl_request_valid },
	{ "request", "unrevoke", "ID|--serial HEX", 0, 1, unrevoke_options, "release a certificate from hold",
	    ctl_request_unrevoke },
	{ "crl", "show", "", 0, 0, NULL, "revocation lists: numbers, times, outlets", ctl_crl_show },
	{ "crl", "get", "", 0, 0, crl_get_options, "the newest base or delta CRL, as certutil -GetCRL gives it",
	    ctl_crl_get },
	{ "crl", "delete", "[ROW]", 0, 1, crl_delete_options, "certutil -deleterow: rows of the CRL table, for good", ctl_crl_delete },
	{ "crl", "publish", "", 0, 0, crl_publish_options, "Publish: new CRL", ctl_crl_publish },
	{ "pki", "list", "", 0, 0, NULL, "Enterprise PKI > Manage AD Containers: whom the forest trusts", ctl_pki_list },
	{ "pki", "add", "FILE NTAuthCA|RootCA|SubCA|CDP", 2, 2, pki_add_options,
	    "certutil -dspublish: publish a CA's certificate, or its CRL", ctl_pki_add },
	{ "pki", "remove", "FILE|SHA1 NTAuthCA|RootCA|SubCA", 2, 2, NULL, "take a certificate out of a container", ctl_pki_remove },
	{ "view", NULL, "", 0, 0, view_options, "rows of the CA's database, as certutil -view lists them", ctl_view },
	{ "audit", "show", "", 0, 0, audit_options, "the CA's events in the Security log, as AuditFilter has them", ctl_audit_show },
	{ "journal", NULL, "", 0, 0, journal_options, "what happened, newest last", ctl_journal },
	{ "clock", "show", "", 0, 0, NULL, "the server's virtual time", ctl_clock_show },
	{ "clock", "advance", "PERIOD", 1, 1, NULL, "move virtual time (300d, 2h, 90s)", ctl_clock_advance },
	{ "fault", "add", "POINT ACTION [VALUE]", 2, 3, fault_options, "let something go wrong: see 'fault points' and doc/faults.md", ctl_fault_add },
	{ "fault", "list", "", 0, 0, NULL, "what goes wrong, and how often it did", ctl_fault_list },
	{ "fault", "clear", "[ID]", 0, 1, NULL, "let it go well again: one fault, or all", ctl_fault_clear },
	{ "fault", "points", "", 0, 0, NULL, "where something can go wrong, and what", ctl_fault_points },
	{ "server", "show", "[NAME]", 0, 1, NULL, "what the ready line told, or one value of it: kerberos.krb5_conf", ctl_server_show },
	{ "server", "stats", "", 0, 0, NULL, "counters of the RPC runtime", ctl_server_stats },
	{ "server", "stop", "", 0, 0, NULL, "end the server", ctl_server_stop },
	{ 0 },
};
/* clang-format on */
