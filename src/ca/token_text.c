/* A caller's token as JSON, kept with requests that may be decided again later. */
#include "ca/ca_priv.h"

int
ca_token_to_json(const struct token *t, struct buf *out, struct err *e)
{
	char sid[SID_TEXT_MAX];

	buf_put_str(out, "{\"account\":");
	json_put_string(out, t->account);
	journal_put_text(out, "dn", t->dn);
	journal_put_text(out, "upn", t->upn);
	buf_printf(out, ",\"computer\":%s,\"sids\":[", t->is_computer ? "true" : "false");
	for (size_t i = 0; i < t->n_sids; i++) {
		buf_printf(out, "%s[\"%s\",%d,", i == 0 ? "" : ",", sid_to_text(&t->sids[i].sid, sid),
		    (int)t->sids[i].via);
		if (t->sids[i].name != NULL)
			json_put_string(out, t->sids[i].name);
		else
			buf_put_str(out, "null");
		buf_put_str(out, "]");
	}
	buf_put_str(out, "]}");
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "the token of %s is too long to keep", t->account);
}

static int
add_sids(struct token *t, const json_t *list, struct err *e)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *text = json_string_value(json_array_get(item, 0));
		json_int_t via = json_integer_value(json_array_get(item, 1));
		struct sid sid;

		if (text == NULL || via < TOKEN_VIA_USER || via > TOKEN_VIA_LOCAL)
			return ERR(e, E_INVALID_DATA, "SID %zu of the stored caller is malformed", i);
		if (sid_from_text(&sid, text, e) != 0 ||
		    token_add(t, &sid, (enum token_via)via, json_string_value(json_array_get(item, 2)), e) !=
			0)
			return -1;
	}
	return 0;
}

struct token *
ca_token_from_json(const char *json, struct err *e)
{
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *account = json_string_value(json_object_get(o, "account"));
	const char *dn = json_string_value(json_object_get(o, "dn"));
	struct token *t = NULL;

	if (account == NULL) {
		ERR(e, E_INVALID_DATA, "the stored caller cannot be read");
	} else {
		t = token_new(account, dn != NULL ? dn : "", json_string_value(json_object_get(o, "upn")),
		    json_is_true(json_object_get(o, "computer")));
		if (t == NULL)
			ERR(e, E_OUTOFMEMORY, "no memory for a token");
	}
	if (t != NULL && add_sids(t, json_object_get(o, "sids"), e) != 0) {
		token_unref(t);
		t = NULL;
	}
	json_decref(o);
	return t;
}
