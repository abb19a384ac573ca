/* What a request leaves in the journal and in the figures. */
#include <jansson.h>
#include <stdlib.h>

#include "ca/ca_priv.h"
#include "rehearse/report.h"

static const char *
verdict_name(const struct ca_request *r, uint32_t hr)
{
	if (hr != 0)
		return "refused";
	switch (r->db_disposition) {
	case DB_DISP_ISSUED:
		return "issued";
	case DB_DISP_PENDING:
		return "pending";
	case DB_DISP_DENIED:
		return "denied";
	default:
		return "failed";
	}
}

/* Of what was not issued; of a certificate the database alone tells, since that is most of what it would
 * cost. */
static void
put_rules(struct buf *b, const struct ca_request *r)
{
	json_t *rules = report_rules(&r->out);
	char *text = json_dumps(rules, JSON_COMPACT);

	journal_put_raw(b, "rules", text);
	free(text);
	json_decref(rules);
}

void
ca_request_journal(
    struct ca_request *r, const struct ca_request_result *res, const char *operation, const char *why)
{
	uint64_t now = clock_monotonic_us();
	struct buf *b = journal_begin(r->ca->journal);

	journal_put_text(b, "front", r->who.front);
	journal_put_text(b, "peer", r->who.peer);
	journal_put_text(b, "call", r->who.call);
	journal_put_text(b, "caller", ca_who_account(&r->who));
	journal_put_text(b, "package", r->who.package);
	journal_put_text(b, "operation", operation);
	buf_printf(b, ",\"arguments\":{\"flags\":\"0x%x\"", r->args.flags);
	journal_put_text(b, "authority", r->args.authority);
	if (r->args.request_id != 0)
		journal_put_number(b, "requestId", r->args.request_id);
	journal_put_text(b, "attributes", r->args.attributes);
	if (r->args.request.len > 0)
		journal_put_number(b, "requestLength", (int64_t)r->args.request.len);
	journal_put_text(b, "requestSha1", r->sha1);
	buf_put_str(b, "}");
	if (res->request_id != 0)
		journal_put_number(b, "requestId", res->request_id);
	if (r->requester != NULL && r->requester != r->who.token)
		journal_put_text(b, "requester", r->requester->account);
	journal_put_text(b, "onBehalfOf", r->asked_for);
	journal_put_text(b, "verdict", verdict_name(r, res->hr));
	journal_put_hresult(b, res->hr != 0 ? res->hr : r->status);
	buf_printf(b, ",\"disposition\":\"0x%x\"", res->disposition);
	journal_put_text(b, "message", res->message);
	journal_put_text(b, "template", r->out.template != NULL ? r->out.template->cn : NULL);
	journal_put_text(b, "reason", why);
	if (r->db_disposition != DB_DISP_ISSUED && r->explanation != NULL)
		put_rules(b, r);
	buf_printf(b, ",\"us\":{\"total\":%llu", (unsigned long long)(now - r->t_start));
	if (r->t_decided != 0)
		buf_printf(b, ",\"parse\":%llu,\"directory\":%llu,\"policy\":%llu,\"commit\":%llu",
		    (unsigned long long)(r->t_parse - r->t_start),
		    (unsigned long long)(r->t_ready - r->t_start),
		    (unsigned long long)(r->t_policy - r->t_ready), (unsigned long long)(now - r->t_policy));
	buf_put_str(b, "}");
	journal_end(r->ca->journal);
}

void
ca_request_count(struct ca_request *r)
{
	struct ca_stats *st = &r->ca->stats;

	st->requests++;
	st->issued += r->db_disposition == DB_DISP_ISSUED;
	st->pending += r->db_disposition == DB_DISP_PENDING;
	st->denied += r->db_disposition == DB_DISP_DENIED;
	st->failed += r->db_disposition == DB_DISP_ERROR;
	st->micros_parse += r->t_parse - r->t_start;
	st->micros_policy += r->t_policy - r->t_ready;
	st->micros_total += clock_monotonic_us() - r->t_start;
}
