/* A blocking conversation with one CA: who we are, where it is, and the connections made so far. */
#ifndef ADCSD_CLIENT_SESSION_H
#define ADCSD_CLIENT_SESSION_H

#include "client/enroll.h"

/* Lent for the session's life. */
struct client_target {
	const char *host;
	uint16_t epm_port; /* 135 */
	const char *ca;    /* the CA's name */
	struct client_auth auth;
	unsigned timeout_s;
};

struct client_session;

struct client_session *
client_session_new(const struct client_target *target, struct err *e) MUST_CHECK;
/* NULL is fine. */
void
client_session_free(struct client_session *s);
const struct client_target *
client_session_target(const struct client_session *s);
struct event_base *
client_session_base(struct client_session *s);

/* CertServerRequest on ICertPassage; finds the endpoint, connects and binds with the first one. */
int
client_session_icpr(struct client_session *s, const struct client_request *r, struct pool *pool,
    struct client_answer *out, struct err *e) MUST_CHECK;
/* The same by ICertRequestD2::Request2 on an object of CCertRequestD, activated with the first call. */
int
client_session_dcom(struct client_session *s, const struct client_request *r, struct pool *pool,
    struct client_answer *out, struct err *e) MUST_CHECK;
/* The object those calls go to, activated when it is not yet; lent. */
struct client_object;
struct client_object *
client_session_requests(struct client_session *s, struct err *e) MUST_CHECK;
/* Activates CCertRequestD once more and forgets it: what that costs. */
int
client_session_activate(struct client_session *s, struct err *e) MUST_CHECK;
/* A method of ICertAdminD2 (MS-CSRA) on the session's one object of CCertAdminD, activated with the first
 * call. *out: the answer's struct, in the pool; the HRESULT in it is the caller's to look at. */
int
client_session_admin(struct client_session *s, const struct client_method *m, const void *args,
    struct pool *pool, void **out, struct err *e) MUST_CHECK;
/* MS-CSRA 3.1.4.1.3, 3.1.4.1.4 */
int
client_session_resubmit(struct client_session *s, uint32_t request_id, struct pool *pool,
    uint32_t *disposition, struct err *e) MUST_CHECK;
int
client_session_deny(
    struct client_session *s, uint32_t request_id, struct pool *pool, struct err *e) MUST_CHECK;
/* ICertRequestD2::GetCAProperty (MS-WCCE 3.2.1.4.3.2); the value as it came, in the pool. */
int
client_session_property(struct client_session *s, uint32_t id, uint32_t index, uint32_t type,
    struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;

#endif
