/* enroll: submits a request to a CA, polls and retrieves, as certreq does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/admin.h"
#include "ctl/remote.h"
#include "policy/made_up.h"
#include "x509/new_request.h"
#include "x509/request.h"

#define CSR_MAX (256 * 1024)
#define POLL_SECONDS 10

/* ---- the request ---- */

/* A key is never written over, and nobody else may read it. */
static int
write_key(const char *path, struct bytes pem, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;

	if (f == NULL)
		return ERR(
		    e, errno == EEXIST ? E_ALREADY_EXISTS : E_FAIL, "%.100s: %s", path, strerror(errno));
	if (fwrite(pem.p, 1, pem.len, f) != pem.len || fclose(f) != 0)
		return ERR(e, E_DISK_FULL, "%.100s: %s", path, strerror(errno));
	return 0;
}

static int
made_request(const struct ctl_args *a, struct buf *csr, struct err *e)
{
	const char *out_key = ctl_arg(a, "out-key"), *spec = ctl_arg(a, "key");
	const struct policy_made_up m = { .subject = ctl_arg(a, "subject"), .san = ctl_arg(a, "san") };
	struct x509_new_key *key;
	struct buf spki, info, pem;
	int rc = -1;

	if (out_key == NULL)
		return ERR(e, E_INVALIDARG, "enroll takes --csr FILE, or --out-key FILE for a new key");
	key = x509_new_key_make(spec != NULL ? spec : POLICY_MADE_UP_KEY, e);
	if (key == NULL)
		return -1;
	buf_init(&spki, CSR_MAX);
	buf_init(&info, CSR_MAX);
	buf_init(&pem, CSR_MAX);
	if (x509_new_key_spki(key, &spki, e) == 0 &&
	    policy_make_up_info(&info, &m, buf_bytes(&spki), e) == 0 &&
	    x509_new_request_sign(key, buf_bytes(&info), csr, e) == 0 && x509_new_key_pem(key, &pem, e) == 0)
		rc = write_key(out_key, buf_bytes(&pem), e);
	x509_new_key_free(key);
	buf_fini(&spki);
	buf_fini(&info);
	buf_wipe(&pem);
	return rc;
}

/* What PEM and base64 files hold; DER as it is. */
static int
file_request(struct ctl *c, const char *path, struct buf *csr, struct err *e)
{
	struct bytes der;
	struct buf raw;
	int rc;

	buf_init(&raw, 2 * CSR_MAX);
	rc = ctl_read_file(path, &raw, e);
	if (rc == 0)
		rc = x509_request_unwrap(buf_bytes(&raw), c->pool, &der, e);
	if (rc == 0 && der.len == 0) /* would ask for the status of request 0 */
		rc = ERR(e, CRYPT_E_ASN1_EOD, "%.100s holds no request", path);
	if (rc == 0)
		buf_put_bytes(csr, der);
	buf_fini(&raw);
	return rc;
}

static const char *
attributes(struct ctl *c, const struct ctl_args *a)
{
	const char *template = ctl_arg(a, "template"), *more = ctl_arg(a, "attrib");

	if (more != NULL)
		more = ctl_attributes(c, more);
	if (template == NULL)
		return more;
	return pool_printf(c->pool, "CertificateTemplate:%s%s%s", template, more != NULL ? "\n" : "",
	    more != NULL ? more : "");
}

/* ---- the answer ---- */

static int
exit_code(const struct client_answer *r)
{
	if (r->result != 0 && r->disposition != CR_DISP_DENIED)
		return CTL_FAILURE;
	return r->disposition == CR_DISP_ISSUED          ? CTL_OK
	    : r->disposition == CR_DISP_UNDER_SUBMISSION ? CTL_PENDING
							 : CTL_DENIED;
}

static const char *
put_pem(struct ctl *c, struct bytes der)
{
	struct buf b;
	const char *s;

	buf_init(&b, 4 * CSR_MAX);
	text_put_pem(&b, der, "CERTIFICATE");
	s = pool_strdup(c->pool, buf_cstr(&b));
	buf_fini(&b);
	return s != NULL ? s : "";
}

static int
print_answer(struct ctl *c, const struct client_answer *r, const char *pem, bool to_file)
{
	/* A failure is told in place of the disposition (MS-WCCE 3.2.1.4.2.1.4). */
	uint32_t hr = r->disposition > CR_DISP_REVOKED ? r->disposition : r->result;
	char code[HRESULT_FORMAT_MAX] = "";

	if (hr != 0)
		hresult_format(hr, code);
	if (c->json)
		return ctl_print_json(json_pack("{s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:s?}", "requestId",
		    (json_int_t)r->request_id, "disposition", client_disposition_name(r->disposition),
		    "dispositionCode", (json_int_t)r->disposition, "message", r->message, "hr", code,
		    "hrName", hr != 0 && hresult_name(hr) != NULL ? hresult_name(hr) : "", "text",
		    hr != 0 ? hresult_text(hr) : "", "certificate", pem));
	printf("RequestId: %u\nDisposition: %s%s%s\n", r->request_id, client_disposition_name(r->disposition),
	    *r->message != '\0' ? ", " : "", r->message);
	if (hr != 0)
		printf("%s\n%s\n", code, hresult_text(hr));
	if (pem != NULL && !to_file)
		fputs(pem, stdout);
	return CTL_OK;
}

static int
deliver(struct ctl *c, const struct ctl_args *a, const struct client_answer *r)
{
	const char *out = ctl_arg(a, "out"), *chain = ctl_arg(a, "out-chain"), *pem = NULL;
	struct err e;

	if (r->certificate.len > 0)
		pem = put_pem(c, r->certificate);
	if ((pem != NULL && out != NULL && ctl_write_file(out, pem, strlen(pem), &e) != 0) ||
	    (chain != NULL && r->chain.len > 0 && ctl_write_file(chain, r->chain.p, r->chain.len, &e) != 0))
		return ctl_fail(c, &e);
	return print_answer(c, r, pem, out != NULL) == CTL_OK ? exit_code(r) : CTL_FAILURE;
}

/* ---- the verb ---- */

typedef int
submit_fn(struct client_session *s, const struct client_request *r, struct pool *pool,
    struct client_answer *out, struct err *e);

/* Asks again until somebody has decided. */
static int
poll_request(submit_fn *submit, struct client_session *s, const struct client_request *r, unsigned seconds,
    struct pool *pool, struct client_answer *out, struct err *e)
{
	for (;;) {
		struct timespec pause = { .tv_sec = (time_t)seconds };

		if (submit(s, r, pool, out, e) != 0)
			return -1;
		if (out->disposition != CR_DISP_UNDER_SUBMISSION)
			return 0;
		while (nanosleep(&pause, &pause) != 0)
			continue;
	}
}

static int
run(struct ctl *c, const struct ctl_args *a, struct client_session *s, submit_fn *submit, struct buf *csr,
    struct client_answer *out, struct err *e)
{
	const char *retrieve = ctl_arg(a, "retrieve"), *poll_id = ctl_arg(a, "poll");
	struct client_request r = { .authority = client_session_target(s)->ca };
	json_int_t id, seconds = POLL_SECONDS;

	if (ctl_arg(a, "full-response") != NULL)
		r.flags |= CR_IN_FULLRESPONSE;
	if (ctl_arg(a, "interval") != NULL &&
	    (ctl_number_arg(ctl_arg(a, "interval"), "--interval", &seconds) != CTL_OK || seconds == 0))
		return ERR(e, E_INVALIDARG, "--interval takes seconds");
	if (retrieve != NULL || poll_id != NULL) {
		if (ctl_number_arg(retrieve != NULL ? retrieve : poll_id, "the request's ID", &id) != CTL_OK)
			return ERR(e, E_INVALIDARG, "--retrieve and --poll take the ID of a request");
		r.request_id = (uint32_t)id;
		return poll_id != NULL ? poll_request(submit, s, &r, (unsigned)seconds, c->pool, out, e)
				       : submit(s, &r, c->pool, out, e);
	}
	if ((ctl_arg(a, "csr") != NULL ? file_request(c, ctl_arg(a, "csr"), csr, e)
				       : made_request(a, csr, e)) != 0)
		return -1;
	r.attributes = attributes(c, a);
	r.request = buf_bytes(csr);
	return submit(s, &r, c->pool, out, e);
}

int
ctl_enroll(struct ctl *c, const struct ctl_args *a)
{
	const char *transport = ctl_arg(a, "transport");
	struct client_session *s;
	struct client_answer answer;
	struct buf csr;
	struct err e;
	bool icpr;
	int rc;

	if (ctl_arg(a, "ca") != NULL)
		c->config = ctl_arg(a, "ca");
	icpr = transport != NULL && strcasecmp(transport, "icpr") == 0;
	if (transport != NULL && !icpr && strcasecmp(transport, "dcom") != 0)
		return ctl_usage("--transport takes dcom or icpr");
	if (ctl_arg(a, "csr") != NULL &&
	    (ctl_arg(a, "subject") != NULL || ctl_arg(a, "san") != NULL || ctl_arg(a, "key") != NULL ||
		ctl_arg(a, "out-key") != NULL))
		return ctl_usage("enroll takes --csr, or --subject, --san, --key and --out-key");
	s = ctl_remote_open(c, &e);
	if (s == NULL)
		return ctl_fail(c, &e);
	buf_init(&csr, CSR_MAX);
	rc = run(c, a, s, icpr ? client_session_icpr : client_session_dcom, &csr, &answer, &e);
	rc = rc == 0 ? deliver(c, a, &answer) : ctl_fail(c, &e);
	buf_fini(&csr);
	client_session_free(s);
	return rc;
}
