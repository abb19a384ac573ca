/* NT hashes and NTLMv2 responses (MS-NLMP 3.3.2), against the specification's example and two captured clients. */
#include "auth_support.h"

static void
test_hash_password(void **state)
{
	static const struct {
		const char *name, *password, *hash;
	} cases[] = {
		{ "MS-NLMP 4.2.2.1.2", "Password", "a4f49c406510bdcab6824ee7c30fd852" },
		{ "empty", "", "31d6cfe0d16ae931b73c59d7e0c089c0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t hash[16];
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(ntlm_hash_password(hash, cases[i].password, &e), 0);
		assert_octets(((struct bytes){ hash, 16 }), cases[i].hash);
	}
}

static void
test_hash_refused(void **state)
{
	char long_one[514];
	const char *const cases[] = { "\xff\xfe", "a\xc3", long_one };

	(void)state;
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t hash[16];
		struct err e = { 0 };

		assert_int_equal(ntlm_hash_password(hash, cases[i], &e), -1);
		assert_int_not_equal(e.hr, 0);
	}
}

/* A proof out of an AUTHENTICATE message, and its verdict. */
static int
check(const char *authenticate, const char *user_upper, const char *domain, const char *password, const char *response,
    uint8_t key[16], struct err *e)
{
	static const uint8_t challenge[8] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct buf token = octets(authenticate), user = utf16(user_upper), dom = utf16(domain),
		   nt = octets(response != NULL ? response : "");
	struct ntlm_authenticate msg = { .flags = 0 };
	struct auth_ntlm_proof proof = { .user = "", .domain = domain };
	uint8_t hash[16];
	int ret;

	assert_int_equal(ntlm_authenticate_parse(buf_bytes(&token), &msg, e), 0);
	assert_int_equal(ntlm_hash_password(hash, password, e), 0);
	proof.user_upper_utf16 = buf_bytes(&user);
	proof.domain_utf16 = buf_bytes(&dom);
	memcpy(proof.server_challenge, challenge, 8);
	proof.nt_response = response != NULL ? buf_bytes(&nt) : msg.nt_response;
	ret = ntlm_check_proof(&proof, hash, key, e);
	buf_fini(&token);
	buf_fini(&user);
	buf_fini(&dom);
	buf_fini(&nt);
	return ret;
}

static void
test_proof_accepted(void **state)
{
	static const struct {
		const char *name, *authenticate, *user_upper, *domain, *password, *key;
	} cases[] = {
		{ "MS-NLMP 4.2.4", SPEC_AUTHENTICATE, "USER", "Domain", "Password", "8de40ccadbc14a82f15cb0ad0de95ca3" },
		{ "impacket", IMPACKET_AUTHENTICATE, "ALICE", "CORP", "Passw0rd!", NULL },
		{ "gss-ntlmssp", GSS_AUTHENTICATE, "ALICE", "CORP", "Passw0rd!", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t key[16];
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(check(cases[i].authenticate, cases[i].user_upper, cases[i].domain, cases[i].password, NULL,
				     key, &e),
		    0);
		if (cases[i].key != NULL)
			assert_octets(((struct bytes){ key, 16 }), cases[i].key);
	}
}

static void
test_proof_refused(void **state)
{
	static const struct {
		const char *name, *user_upper, *domain, *password, *response;
	} cases[] = {
		{ "wrong password", "USER", "Domain", "password", NULL },
		{ "user not in upper case", "User", "Domain", "Password", NULL },
		{ "another user", "USER2", "Domain", "Password", NULL },
		{ "domain in another case", "USER", "DOMAIN", "Password", NULL },
		{ "no domain", "USER", "", "Password", NULL },
		{ "NTLMv1", "USER", "Domain", "Password", "67c43011f30298a2ad35ece64f16331c44bdbed927841f94" },
		{ "empty", "USER", "Domain", "Password", "" },
		{ "only the proof", "USER", "Domain", "Password", "68cd0ab851e51c96aabc927bebef6a1c" },
		{ "one octet short of a blob", "USER", "Domain", "Password",
		    "68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa000000" },
		{ "one bit changed", "USER", "Domain", "Password",
		    "68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c004400"
		    "6f006d00610069006e0001000c005300650072007600650072000000000000000001" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t key[16] = { 0 };
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(check(SPEC_AUTHENTICATE, cases[i].user_upper, cases[i].domain, cases[i].password,
				     cases[i].response, key, &e),
		    -1);
		assert_int_equal(e.hr, E_LOGON_FAILURE);
		assert_octets(((struct bytes){ key, 16 }), "00000000000000000000000000000000");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_password),
		cmocka_unit_test(test_hash_refused),
		cmocka_unit_test(test_proof_accepted),
		cmocka_unit_test(test_proof_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
