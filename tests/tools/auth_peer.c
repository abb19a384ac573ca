/*
 * Puts an acceptor behind standard input and output, so that authentication clients of other makes can be tried on it
 * before there is a server. One command a line, one answer a line; octets are in hexadecimal, "-" stands for none.
 *
 *     auth_peer ntlm|spnego [--deferred] NAME:PASSWORD...
 *
 *     token HEX                            need HEX | complete HEX PACKAGE SIGN SEAL ACCOUNT | failed HEX HRESULT REASON
 *     unprotect sign|seal OFF LEN PDU SIG  ok PDU | bad HRESULT REASON
 *     protect sign|seal OFF LEN PDU        ok PDU SIG
 *     proof                                USER DOMAIN, as the client sent them (UTF-8 in hexadecimal)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/auth.h"
#include "auth/ntlm_hash.h"
#include "base/text.h"

#define OCTETS_MAX (4 * AUTH_TOKEN_MAX)

struct peer {
	struct auth_ctx *ctx;
	char **accounts; /* "NAME:PASSWORD" */
	int n_accounts;
	bool deferred; /* the verdict comes after the step has returned */
	const struct auth_ntlm_proof *proof;
	auth_verdict_fn *cb;
	void *cb_arg;
	struct buf user, domain;
};

static void
print_hex(struct bytes b)
{
	if (b.len == 0)
		putchar('-');
	for (size_t i = 0; i < b.len; i++)
		printf("%02x", b.p[i]);
}

/* ---- the authority ---- */

/* Bare account name of "DOMAIN\name" and "name@realm". */
static size_t
account_name(const char *sent, const char **name)
{
	const char *slash = strchr(sent, '\\');

	*name = slash != NULL ? slash + 1 : sent;
	return strcspn(*name, "@");
}

static void
give_verdict(struct peer *p)
{
	struct auth_verdict v = { .token = NULL };
	const struct auth_ntlm_proof *proof = p->proof;
	const char *name;
	size_t len = account_name(proof->user, &name);
	uint8_t hash[16];
	struct err e;
	auth_verdict_fn *cb = p->cb;

	p->cb = NULL;
	(void)ERR(&e, E_LOGON_FAILURE, "no such account");
	for (int i = 0; i < p->n_accounts; i++) {
		const char *colon = strchr(p->accounts[i], ':');

		if ((size_t)(colon - p->accounts[i]) != len || strncasecmp(p->accounts[i], name, len) != 0)
			continue;
		if (ntlm_hash_password(hash, colon + 1, &e) != 0 ||
		    ntlm_check_proof(proof, hash, v.session_base_key, &e) != 0)
			break;
		v.token = token_new(proof->user, "CN=peer", NULL, false);
		cb(p->cb_arg, &v, NULL);
		return;
	}
	cb(p->cb_arg, NULL, &e);
}

static void *
verify(void *ctx, const struct auth_ntlm_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct peer *p = ctx;

	p->proof = proof;
	p->cb = cb;
	p->cb_arg = arg;
	buf_reset(&p->user);
	buf_reset(&p->domain);
	buf_put_str(&p->user, proof->user);
	buf_put_str(&p->domain, proof->domain);
	if (p->deferred)
		return p;
	give_verdict(p);
	return NULL;
}

static void
cancel(void *ctx, void *handle)
{
	(void)handle;
	((struct peer *)ctx)->cb = NULL;
}

/* ---- commands ---- */

static void
on_step(void *arg, enum auth_state st, struct bytes answer, const struct err *e)
{
	struct peer *p = arg;

	printf("%s ", st == AUTH_NEED_TOKEN ? "need" : st == AUTH_COMPLETE ? "complete" : "failed");
	print_hex(answer);
	if (st == AUTH_COMPLETE)
		printf(" %s %d %d %s", auth_ctx_package(p->ctx), auth_ctx_can_sign(p->ctx), auth_ctx_can_seal(p->ctx),
		    auth_ctx_token(p->ctx)->account);
	else if (st == AUTH_FAILED)
		printf(" 0x%08x %s", e->hr, e->msg);
	putchar('\n');
}

static bool
read_octets(struct buf *out, const char *word)
{
	struct err e;

	buf_reset(out);
	return word != NULL && (strcmp(word, "-") == 0 || (text_parse_hex(out, word, &e) == 0 && buf_ok(out)));
}

static void
run_protection(struct peer *p, bool opening, struct buf *pdu, struct buf *sig)
{
	const char *mode = strtok(NULL, " "), *off = strtok(NULL, " "), *len = strtok(NULL, " ");
	bool seal = mode != NULL && strcmp(mode, "seal") == 0;
	uint8_t out[16];
	struct err e;
	int ret;

	if (len == NULL || !read_octets(pdu, strtok(NULL, " ")) ||
	    (opening && !read_octets(sig, strtok(NULL, " ")))) {
		puts("bad 0x00000000 malformed command");
		return;
	}
	if (opening)
		ret = auth_ctx_unprotect(p->ctx, pdu->p, pdu->len, strtoul(off, NULL, 10), strtoul(len, NULL, 10), seal,
		    true, buf_bytes(sig), &e);
	else
		ret = auth_ctx_protect(p->ctx, pdu->p, pdu->len, strtoul(off, NULL, 10), strtoul(len, NULL, 10), seal,
		    true, out, &e);
	if (ret != 0) {
		printf("bad 0x%08x %s\n", e.hr, e.msg);
		return;
	}
	printf("ok ");
	print_hex(buf_bytes(pdu));
	if (!opening) {
		putchar(' ');
		print_hex((struct bytes){ out, sizeof(out) });
	}
	putchar('\n');
}

static void
run_command(struct peer *p, char *line, struct buf *a, struct buf *b)
{
	const char *verb = strtok(line, " \n");

	if (verb != NULL && strcmp(verb, "token") == 0 && read_octets(a, strtok(NULL, " \n"))) {
		auth_ctx_step(p->ctx, buf_bytes(a), on_step, p);
		if (p->cb != NULL)
			give_verdict(p);
	} else if (verb != NULL && (strcmp(verb, "unprotect") == 0 || strcmp(verb, "protect") == 0)) {
		run_protection(p, verb[0] == 'u', a, b);
	} else if (verb != NULL && strcmp(verb, "proof") == 0) {
		print_hex(buf_bytes(&p->user));
		putchar(' ');
		print_hex(buf_bytes(&p->domain));
		putchar('\n');
	} else {
		puts("bad 0x00000000 unknown command");
	}
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const struct auth_names names = { "CA01", "CORP", "ca01.corp.contoso.com", "corp.contoso.com",
		"corp.contoso.com" };
	struct peer p = { .accounts = argv + 2, .n_accounts = argc - 2 };
	const struct auth_authority authority = { .ctx = &p, .ntlm_verify = verify, .cancel = cancel };
	struct buf a, b;
	char *line = NULL;
	size_t cap = 0;
	struct err e;

	if (argc < 2) {
		fputs("usage: auth_peer ntlm|spnego [--deferred] NAME:PASSWORD...\n", stderr);
		return 64;
	}
	if (p.n_accounts > 0 && strcmp(p.accounts[0], "--deferred") == 0) {
		p.deferred = true;
		p.accounts++;
		p.n_accounts--;
	}
	p.ctx = auth_ctx_new(strcmp(argv[1], "spnego") == 0 ? AUTH_MECH_SPNEGO : AUTH_MECH_NTLM, &names, &authority, &e);
	if (p.ctx == NULL) {
		fprintf(stderr, "auth_peer: %s\n", e.msg);
		return 1;
	}
	buf_init(&a, OCTETS_MAX);
	buf_init(&b, OCTETS_MAX);
	buf_init(&p.user, 4096);
	buf_init(&p.domain, 4096);
	while (getline(&line, &cap, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		run_command(&p, line, &a, &b);
	}
	free(line);
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&p.user);
	buf_fini(&p.domain);
	auth_ctx_free(p.ctx);
	return 0;
}
