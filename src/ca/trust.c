/* Whom the forest trusts: the certificates of its PKI containers (templates.md 8), and the CA's own. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "ca/signing_certs.h"

static const char SERVICES[] = "CN=Public Key Services,CN=Services,";
static const struct container {
	const char *dn; /* before SERVICES; of an object in it, or its own */
	enum x509_chain_role role;
} containers[] = {
	{ "CN=NTAuthCertificates,", X509_CHAIN_LOGON },
	{ ",CN=Certification Authorities,", X509_CHAIN_ROOT },
	{ ",CN=AIA,", X509_CHAIN_AIA },
};

/* One list of the CA's certificates: a renewal comes with another one. */
struct ca_trust {
	struct ca_trust *next;
	const struct ca_cert_list *certs;
	struct x509_chain_store *store;
};

void
ca_trusts_free(struct ca_trust *list)
{
	struct ca_trust *next;

	for (; list != NULL; list = next) {
		next = list->next;
		x509_chain_store_free(list->store);
		free(list);
	}
}

static const struct container *
container_of(const char *dn)
{
	for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
		const char *at = strcasestr(dn, containers[i].dn);

		if (at != NULL && (containers[i].dn[0] == ',' || at == dn) &&
		    strncasecmp(at + strlen(containers[i].dn), SERVICES, sizeof(SERVICES) - 1) == 0)
			return &containers[i];
	}
	return NULL;
}

static int
add_entry(struct x509_chain_store *store, const struct dir_entry *en, struct err *e)
{
	const struct container *c = container_of(en->dn);
	const struct dir_attr *a = c != NULL ? dir_entry_attr(en, "cACertificate") : NULL;

	for (size_t i = 0; a != NULL && i < a->n; i++) {
		/* unused lists carry one zero octet (templates.md 8) */
		if (a->values[i].len <= 1 || x509_chain_store_add(store, c->role, a->values[i], e) == 0)
			continue;
		if (e->hr == E_OUTOFMEMORY)
			return -1;
		log_warn(ca, "cACertificate of %s is not used: %s", en->dn, e->msg);
	}
	return 0;
}

static int
fill(struct x509_chain_store *store, const struct dir_snapshot *snap, const struct ca_cert_list *certs,
    struct err *e)
{
	/* the newest first: its subject is the CA's */
	for (size_t i = certs->n; i-- > 0;) {
		const struct x509_ca *ca = certs->v[i]->x509;

		for (size_t k = 0; k < x509_ca_chain_len(ca); k++) {
			if (x509_chain_store_add(store, X509_CHAIN_OWN, x509_ca_chain_der(ca, k), e) != 0)
				return -1;
		}
	}
	for (size_t i = 0; i < snap->n_authorities; i++) {
		if (add_entry(store, &snap->authorities[i], e) != 0)
			return -1;
	}
	return 0;
}

const struct x509_chain_store *
ca_trust_get(struct ca_templates *t, const struct ca_cert_list *certs, struct err *e)
{
	struct ca_trust *trust = t->trusts;

	while (trust != NULL && trust->certs != certs)
		trust = trust->next;
	if (trust != NULL)
		return trust->store;
	trust = calloc(1, sizeof(*trust));
	if (trust == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for trusted certificates");
		return NULL;
	}
	trust->certs = certs;
	trust->store = x509_chain_store_new(e);
	if (trust->store == NULL || fill(trust->store, t->snap, certs, e) != 0) {
		ca_trusts_free(trust);
		return NULL;
	}
	trust->next = t->trusts;
	t->trusts = trust;
	return trust->store;
}
