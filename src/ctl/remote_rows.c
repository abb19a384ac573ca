/* What takes rows out of a CA's database and puts some in: DeleteRow, ImportCertificate, GetArchivedKey,
 * ImportKey (MS-CSRA 3.1.4.2.18, 3.1.4.1.26, 3.1.4.2.9, 3.1.4.2.16). */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/remote_call.h"
#include "idl/icertadmind.h"

#define VALUE_MAX (1u << 20)
#define ERROR_BATCH_FULL 0xC800042Du /* some rows are gone: the same again (MS-CSRA 3.1.4.2.18) */

static uint32_t
number_of(const json_t *args, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(args, name));
}

int
ctl_remote_octets(struct ctl *c, const json_t *args, const char *name, struct bytes *out, struct err *e)
{
	const char *text = ctl_remote_text(args, name);
	struct buf b;
	int rc;

	buf_init(&b, VALUE_MAX);
	rc = text_parse_base64(&b, (struct bytes){ (const uint8_t *)text, strlen(text) }, e);
	if (rc == 0 && pool_dup_bytes(c->pool, buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for %zu octets", b.len);
	buf_wipe(&b);
	return rc;
}

json_t *
ctl_remote_delete(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = { "DeleteRow", CSRA_DeleteRow, csra_delete_row_in,
		csra_number_out, sizeof(struct csra_number_out) };
	struct csra_delete_row_in in = { .authority = ctl_remote_authority(c),
		.flags = number_of(args, "flags"),
		.table = number_of(args, "table"),
		.row_id = number_of(args, "row") };
	const char *before = ctl_remote_text(args, "before");
	const struct csra_number_out *out;
	json_int_t deleted = 0;
	void *decoded;

	if (*before != '\0' && !filetime_from_text(before, &in.when)) {
		ERR(e, E_INVALIDARG, "'%.40s' is no time", before);
		return NULL;
	}
	do {
		if (client_session_admin(c->remote->session, &m, &in, c->pool, &decoded, e) != 0)
			return NULL;
		out = decoded;
		deleted += out->value;
	} while (out->result == ERROR_BATCH_FULL && out->value > 0);
	if (out->result != S_OK) {
		ERR(e, out->result, "%s: %s", m.name, hresult_text(out->result));
		return NULL;
	}
	return json_pack("{s:I}", "deleted", deleted);
}

json_t *
ctl_remote_import(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = { "ImportCertificate", CSRA_ImportCertificate,
		csra_import_certificate_in, csra_number_out, sizeof(struct csra_number_out) };
	struct csra_import_certificate_in in = { .authority = ctl_remote_authority(c),
		.flags = number_of(args, "flags") };
	void *decoded;

	if (ctl_remote_octets(c, args, "certificate", &in.certificate, e) != 0 ||
	    ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return NULL;
	return json_pack("{s:I}", "id", (json_int_t)((const struct csra_number_out *)decoded)->value);
}

json_t *
ctl_remote_key(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = { "GetArchivedKey", CSRA_GetArchivedKey, csra_request_in,
		csra_blob_out, sizeof(struct csra_blob_out) };
	const struct csra_request_in in = { ctl_remote_authority(c), number_of(args, "id") };
	struct buf text;
	void *decoded;
	json_t *o;

	if (ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return NULL;
	buf_init(&text, 2 * VALUE_MAX);
	text_put_base64(&text, ((const struct csra_blob_out *)decoded)->blob, 0);
	o = json_pack("{s:I, s:s}", "id", (json_int_t)in.request_id, "der", buf_cstr(&text));
	buf_fini(&text);
	return o;
}

json_t *
ctl_remote_import_key(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = { "ImportKey", CSRA_ImportKey, csra_import_key_in,
		csra_result_out, sizeof(struct csra_result_out) };
	const char *hash = ctl_remote_text(args, "sha1");
	struct csra_import_key_in in = { .authority = ctl_remote_authority(c),
		.request_id = number_of(args, "id"),
		.hash = *hash != '\0' ? hash : NULL,
		.flags = json_is_true(json_object_get(args, "overwrite")) ? 0x10000 : 0 };
	void *decoded;

	if (ctl_remote_octets(c, args, "der", &in.key, e) != 0 ||
	    ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return NULL;
	return json_pack("{s:I}", "id", (json_int_t)in.request_id);
}
