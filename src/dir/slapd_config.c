#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dir/files.h"
#include "dir/slapd.h"

/* Largest size of a database; the file grows as it is used. */
#define DOMAIN_DB_MAX (1024u << 20)
#define CONFIG_DB_MAX (256u << 20)

static const char *
ldapi_uri(struct pool *pool, const char *path)
{
	struct buf out;
	const char *uri;

	buf_init(&out, 1024);
	buf_put_str(&out, "ldapi://");
	for (; *path != '\0'; path++)
		if ((*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
		    (*path >= '0' && *path <= '9') || strchr("-._", *path) != NULL)
			buf_put_u8(&out, (uint8_t)*path);
		else
			buf_printf(&out, "%%%02X", (unsigned char)*path);
	uri = buf_ok(&out) ? pool_strdup(pool, buf_cstr(&out)) : NULL;
	buf_fini(&out);
	return uri;
}

int
slapd_files_init(struct slapd_files *f, struct pool *pool, const char *program, const char *state_dir,
    const char *schema_dir, struct err *e)
{
	f->program = pool_strdup(pool, program == NULL ? SLAPD_PROGRAM : program);
	f->schema_dir = pool_strdup(pool, schema_dir);
	f->home = pool_printf(pool, "%s/slapd", state_dir);
	f->data = pool_printf(pool, "%s/slapd/data", state_dir);
	f->seeding = pool_printf(pool, "%s/slapd/seeding", state_dir);
	f->conf = pool_printf(pool, "%s/slapd/slapd.conf", state_dir);
	f->socket = pool_printf(pool, "%s/slapd/ldapi", state_dir);
	if (f->program == NULL || f->schema_dir == NULL || f->home == NULL || f->data == NULL ||
	    f->seeding == NULL || f->conf == NULL || f->socket == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (strlen(f->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return ERR(e, E_INVALIDARG, "the path of the state folder is too long for a socket in it: %s",
		    f->socket);
	f->uri = ldapi_uri(pool, f->socket);
	return f->uri == NULL ? ERR(e, E_OUTOFMEMORY, "out of memory") : 0;
}

/* An argument in double quotes (slapd.conf(5)). */
static void
put_quoted(struct buf *out, const char *s)
{
	buf_put_u8(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_put_u8(out, '\\');
		buf_put_u8(out, (uint8_t)*s);
	}
	buf_put_u8(out, '"');
}

static void
put_path(struct buf *out, const char *directive, const char *folder, const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	buf_printf(out, "%s ", directive);
	put_quoted(out, path);
	buf_put_u8(out, '\n');
}

static void
put_identity(struct buf *out, unsigned uid)
{
	buf_printf(out,
	    "authz-regexp \"^gidNumber=[0-9]+[+]uidNumber=%u,cn=peercred,cn=external,cn=auth$\" %s\n", uid,
	    SLAPD_ROOT);
}

static void
put_database(struct buf *out, const char *suffix, const char *data, const char *name, unsigned max,
    const char *indices)
{
	buf_put_str(out, "\ndatabase mdb\nsuffix ");
	put_quoted(out, suffix);
	buf_put_str(out, "\nrootdn " SLAPD_ROOT "\n");
	put_path(out, "directory", data, name);
	buf_printf(out, "maxsize %u\n", max);
	buf_printf(out, "index objectClass,entryCSN,entryUUID%s eq\n", indices);
	/* The rootdn passes every rule: secrets are ours alone, the rest is for whoever may open the socket.
	 */
	buf_put_str(out,
	    "access to attrs=userPassword,unicodePwd,ntPwdHistory,dBCSPwd,supplementalCredentials by * none\n"
	    "access to * by users read by * none\n");
}

static void
put_config(struct buf *out, const struct slapd_files *f, const struct slapd_names *names, const char *data,
    const char *rootdse)
{
	static const char *const schema[] = { "rootdse.schema", "ad-attributes.schema", "ad-classes.schema" };
	size_t i;

	buf_put_str(out,
	    "# Written by adcsd at each start.\n"
	    "modulepath " SLAPD_MODULES "\n"
	    "moduleload back_mdb\n"
	    "moduleload memberof\n"
	    "moduleload syncprov\n");
	for (i = 0; i < ARRAY_LEN(schema); i++)
		put_path(out, "include", f->schema_dir, schema[i]);
	buf_put_str(out,
	    "threads 4\n"
	    "sizelimit unlimited\n"
	    "rootDSE ");
	put_quoted(out, rootdse);
	buf_put_u8(out, '\n');
	put_identity(out, 0);
	if (geteuid() != 0)
		put_identity(out, geteuid());
	buf_put_str(out,
	    "access to dn.base=\"\" by * read\n"
	    "access to dn.subtree=\"cn=Subschema\" by * read\n");
	/* slapd wants the database of the deeper suffix first */
	put_database(out, names->config_dn, data, "config", CONFIG_DB_MAX, ",cn,msPKI-Cert-Template-OID");
	buf_put_str(out, "overlay syncprov\n");
	put_database(out, names->domain_dn, data, "domain", DOMAIN_DB_MAX,
	    ",cn,sAMAccountName,userPrincipalName,objectSid,objectGUID,member,dNSHostName,"
	    "servicePrincipalName");
	buf_put_str(out,
	    "overlay memberof\n"
	    "memberof-group-oc group\n"
	    "memberof-member-ad member\n"
	    "overlay syncprov\n");
}

/* What AD's rootDSE tells (MS-ADTS 3.1.1.3.2), as far as it is true of an embedded directory. */
static void
put_rootdse(struct buf *out, const struct slapd_names *names)
{
	buf_printf(out,
	    "dn:\nobjectClass: top\nobjectClass: OpenLDAProotDSE\n"
	    "defaultNamingContext: %s\nrootDomainNamingContext: %s\nconfigurationNamingContext: %s\n"
	    "schemaNamingContext: CN=Schema,%s\n",
	    names->domain_dn, names->domain_dn, names->config_dn, names->config_dn);
	buf_put_str(out,
	    "domainFunctionality: 7\nforestFunctionality: 7\ndomainControllerFunctionality: 7\n"
	    "isGlobalCatalogReady: TRUE\nisSynchronized: TRUE\n"
	    "supportedCapabilities: 1.2.840.113556.1.4.800\n"
	    "supportedCapabilities: 1.2.840.113556.1.4.1670\n"
	    "supportedCapabilities: 1.2.840.113556.1.4.1791\n");
}

int
slapd_write_config(const struct slapd_files *f, const struct slapd_names *names, const char *conf,
    const char *data, struct err *e)
{
	char rootdse[4096];
	struct buf out;
	int rc;

	if (snprintf(rootdse, sizeof(rootdse), "%s.rootdse", conf) >= (int)sizeof(rootdse))
		return ERR(e, E_INVALIDARG, "path too long: %s", conf);
	buf_init(&out, 65536);
	put_rootdse(&out, names);
	rc = file_write(rootdse, &out, e);
	buf_reset(&out);
	put_config(&out, f, names, data, rootdse);
	if (rc == 0)
		rc = file_write(conf, &out, e);
	buf_fini(&out);
	return rc;
}
