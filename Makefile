# adcsd: plain GNU make. `make help` lists the targets.
# One static library per folder of src/; a folder links only what it may include (tools/layers.txt, `make check-layers`).

CC ?= cc
B ?= build
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
DESTDIR ?=
V ?=
Q := $(if $(V),,@)

WARN = -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes $(WERROR)
OPT ?= -O2 -g
SAN ?=
PKGS = libcrypto sqlite3 jansson libevent krb5-gssapi krb5
VERSION = 0.1.0
DATADIR = $(PREFIX)/share/adcsd
# Quiet where pkg-config is not there yet: `make deps` must run on a bare machine.
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CPPFLAGS += -Isrc -D_GNU_SOURCE -DADCSD_VERSION='"$(VERSION)"' -DADCSD_DATADIR='"$(DATADIR)"' $(PKG_CFLAGS)
CFLAGS += -std=c11 $(OPT) $(WARN) $(SAN) -fno-strict-aliasing -fstack-protector-strong -D_FORTIFY_SOURCE=$(if $(SAN),0,2)
LDFLAGS += $(SAN) -Wl,-z,relro,-z,now -Wl,--as-needed
LDLIBS += $(PKG_LIBS) -levent_pthreads -lldap -llber -linih -lpthread

# Folders of src/, lowest layer first.
FOLDERS = base ndr idl auth net http x509 dir store fault policy rehearse settings lint ca logon kdc rpc dcom svc control client ctl
PROGRAMS = adcsd adcsctl

# $(call below,folder): the libraries a unit test of that folder links.
LINK_base = base
LINK_ndr = ndr base
LINK_idl = idl ndr base
LINK_auth = auth ndr base
LINK_net = net base
LINK_http = http net base
LINK_x509 = x509 base
LINK_dir = dir base
LINK_store = store base
LINK_fault = fault base
LINK_policy = policy x509 auth base
LINK_rehearse = rehearse policy x509 auth base
LINK_settings = settings policy x509 auth base
LINK_lint = lint rehearse policy x509 auth dir base
LINK_ca = ca settings rehearse policy x509 auth dir store base
LINK_kdc = kdc dir base
LINK_logon = logon auth dir idl ndr base
LINK_rpc = rpc net idl ndr auth base
LINK_dcom = dcom rpc net idl ndr auth base
LINK_svc = svc dcom rpc net idl ndr ca settings rehearse policy x509 auth dir store base
LINK_control = control ca net settings rehearse policy x509 auth dir store base
LINK_client = client idl ndr auth x509 base
LINK_ctl = ctl client idl ndr lint settings rehearse policy x509 auth dir base
LINK_adcsd = adcsd control http fault svc dcom rpc net idl logon kdc ca settings rehearse policy x509 dir store auth ndr base

libs = $(foreach f,$(1),$(B)/lib$(f).a)

all: $(B)/adcsd $(B)/adcsctl ## build adcsd and adcsctl

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- objects and libraries ----

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

define folder_rules
SRC_$(1) := $$(sort $$(wildcard src/$(1)/*.c))
OBJ_$(1) := $$(SRC_$(1):%.c=$(B)/obj/%.o)
# The list is a prerequisite of its own: a source that comes or goes rebuilds the library, whatever the times say.
$(B)/obj/src/$(1)/.list: FORCE
	@mkdir -p $$(@D)
	@echo '$$(OBJ_$(1))' | cmp -s - $$@ || echo '$$(OBJ_$(1))' >$$@
$(B)/lib$(1).a: $$(OBJ_$(1)) $(B)/obj/src/$(1)/.list
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcs $$@ $$(OBJ_$(1))
endef
$(foreach f,$(FOLDERS) adcsd,$(eval $(call folder_rules,$(f))))

$(B)/adcsd: $(call libs,$(LINK_adcsd))
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ -Wl,--whole-archive $(B)/libadcsd.a -Wl,--no-whole-archive -Wl,--start-group $^ -Wl,--end-group $(LDLIBS)

$(B)/adcsctl: $(call libs,$(LINK_ctl))
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ -Wl,--whole-archive $(B)/libctl.a -Wl,--no-whole-archive -Wl,--start-group $^ -Wl,--end-group $(LDLIBS)

# ---- unit and wire tests: tests/unit/<folder>/test_*.c, one program each ----

UNIT_SRC = $(sort $(wildcard tests/unit/*/test_*.c))
UNIT = $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)

.SECONDEXPANSION:
$(B)/unit/%: $(B)/obj/tests/unit/%.o $$(call libs,$$(LINK_$$(firstword $$(subst /, ,$$*))))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS) -lcmocka

# make unit-auth: builds and runs one folder's unit tests
unit-%: $$(patsubst tests/unit/$$(PERCENT).c,$(B)/unit/$$(PERCENT),$$(wildcard tests/unit/$$*/test_*.c))
	$(Q)for t in $^; do $$t || exit 1; done
PERCENT = %

check-unit: $(UNIT) ## unit and wire tests
	$(Q)tools/run-unit $(UNIT)

# ---- fuzz targets: tests/fuzz/fuzz_<folder>_<name>.c, seeds in fixtures/fuzz/<folder>_<name>/ ----

FUZZ_SRC = $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_NAMES = $(FUZZ_SRC:tests/fuzz/fuzz_%.c=%)

$(B)/replay/%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay_main.o $$(call libs,$$(LINK_$$(firstword $$(subst _, ,$$*))))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

check-seeds: $(FUZZ_NAMES:%=$(B)/replay/%) ## replay the fuzz seeds
	$(Q)for n in $(FUZZ_NAMES); do $(B)/replay/$$n fixtures/fuzz/$$n || exit 1; done

# ---- helper programs of the tests: tests/tools/<folder>_<name>.c ----

TOOL_SRC = $(sort $(wildcard tests/tools/*.c))
TOOLS = $(TOOL_SRC:tests/tools/%.c=$(B)/tools/%)
$(B)/tools/%: $(B)/obj/tests/tools/%.o $$(call libs,$$(LINK_$$(firstword $$(subst _, ,$$*))))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

BENCH_SRC = $(sort $(wildcard tests/bench/bench_*.c))
BENCHES = $(BENCH_SRC:tests/bench/bench_%.c=$(B)/bench/%)
$(B)/bench/%: $(B)/obj/tests/bench/bench_%.o $$(call libs,$$(LINK_$$(firstword $$(subst _, ,$$*))))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# ---- the oracle: a model of the policy in Python that has not read the rules, tests/oracle/README.md ----

ORACLE_CASES ?= 10000
ORACLE = $(PYTHON) -B tests/oracle
MUTANT = $(B)/mutant/policy_run
MUTANT_OBJ = $(B)/mutant/obj/tests/tools/policy_run.o $(B)/mutant/obj/src/policy/rules.o
$(MUTANT_OBJ): $(B)/mutant/obj/%.o: %.c Makefile $(wildcard src/policy/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -DADCSD_SKIP_RULE -c $< -o $@
$(MUTANT): $(MUTANT_OBJ) $(call libs,$(LINK_policy))
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

oracle: $(B)/tools/policy_run ## the policy against its model in Python, ORACLE_CASES (10000) cases; what must always hold
	$(Q)$(ORACLE)/run.py $< --cases $(ORACLE_CASES)
	$(Q)$(ORACLE)/properties.py $< --cases $(ORACLE_CASES)

mutate: $(MUTANT) ## the oracle must notice when any row of the rule table is missing
	$(Q)$(ORACLE)/mutate.py $<

# ---- set-up, the main job, running ----

J := $(shell nproc 2>/dev/null || echo 1)
SUB = $(MAKE) --no-print-directory

deps: ## install what packages.txt names (root), or print the line to run
	@tools/deps

deps-samba: deps ## install what make check-samba needs besides (root), or print the line to run
	@tools/deps samba

demo: deps ## install, build, and walk the main job from start to end
	@$(SUB) -j$(J) all
	@B=$(B) tools/demo

run: all ## run a server in ./build/state with free ports until interrupted
	$(B)/adcsd --state $(B)/state --port-base auto

install: all ## install programs, data and man pages (DESTDIR, PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(DATADIR)/ldap-schema \
	  $(DESTDIR)$(DATADIR)/templates $(DESTDIR)$(DATADIR)/fixtures/forest $(DESTDIR)$(DATADIR)/ca \
	  $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(B)/adcsd $(DESTDIR)$(PREFIX)/sbin/adcsd
	install -m 755 $(B)/adcsctl $(DESTDIR)$(PREFIX)/bin/adcsctl
	install -m 644 ldap-schema/* $(DESTDIR)$(DATADIR)/ldap-schema
	install -m 644 templates/*.ldif $(DESTDIR)$(DATADIR)/templates
	install -m 644 fixtures/forest/*.ldif $(DESTDIR)$(DATADIR)/fixtures/forest
	install -m 644 ca/*.ini $(DESTDIR)$(DATADIR)/ca
	install -m 644 doc/adcsd.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 doc/adcsctl.1 $(DESTDIR)$(PREFIX)/share/man/man1

# ---- tests ----

check: deps ## every test: unit, wire, seeds, oracle, end to end with independent clients
	@$(SUB) check-fast
	@$(SUB) oracle ORACLE_CASES=2000
	@$(SUB) check-e2e

check-fast: ## unit and wire tests, fuzz seeds, layers, headers, banned calls
	@$(SUB) -j$(J) all $(UNIT) $(TOOLS) $(BENCHES) $(FUZZ_NAMES:%=$(B)/replay/%)
	@$(SUB) check-layers check-headers check-banned check-seeds check-unit

check-layers: ## include directions of src/
	@tools/check-layers
check-headers: ## every header compiles alone
	@tools/check-headers
check-banned: ## no call that has a safer form
	@tools/check-banned

check-e2e: ## the real server with impacket, Samba, OpenSSL, GnuTLS, NSS, ldap-utils
	@$(SUB) -j$(J) all $(TOOLS)
	$(Q)ADCSD_BUILD="$$(cd $(B) && pwd)" $(PYTHON) -B -m pytest -p no:cacheprovider -q tests/judges tests/unit tests/e2e $(PYTEST_ARGS)

# A client is never dropped silently: fewer than this fails.
INTEROP_CLIENTS = 7
check-interop: all ## other people's clients in pinned versions, on the real ports in a network namespace (root)
	@mkdir -p $(B)/interop
	$(Q)$(PYTHON) -B tests/interop/run.py prepare $(B)/interop
	$(Q)ADCSD_BUILD="$$(cd $(B) && pwd)" $(PYTHON) -B tests/interop/run.py run $(B)/interop --at-least $(INTEROP_CLIENTS) $(INTEROP_ARGS)

check-pkilint: all ## pkilint over issued certificates and CRLs (reaches PyPI; python3-venv)
	@B=$(B) PYTHON=$(PYTHON) tools/check-pkilint

check-samba: all $(B)/tools/client_mgmt ## template verbs, Kerberos tickets and our RPC client on a Samba AD DC in a network namespace of its own (root)
	@B=$(B) PYTHON=$(PYTHON) tools/check-samba

ASAN = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
asan: ## the same tests under AddressSanitizer and UBSan
	@ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  $(SUB) B=$(B)-asan OPT="-O1 -g" SAN="$(ASAN)" check-fast check-e2e

# ---- fuzzing ----

FUZZ_SECONDS ?= 600
FUZZ_FLAGS = -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
fuzz_src = $(filter-out src/ctl/main.c,$(foreach f,$(LINK_$(firstword $(subst _, ,$(1)))),$(wildcard src/$(f)/*.c)))
FUZZ_PLANT ?=
$(B)/fuzz/%: tests/fuzz/fuzz_%.c $$(call fuzz_src,$$*)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ  $@")
	$(Q)clang -std=c11 $(CPPFLAGS) $(FUZZ_PLANT) $(FUZZ_FLAGS) -Wl,-z,muldefs -o $@ $^ $(LDLIBS)

fuzz: $(FUZZ_NAMES:%=$(B)/fuzz/%) ## every fuzz target for FUZZ_SECONDS (600) each, then its planted bug
	$(Q)B=$(B) SECONDS_EACH=$(FUZZ_SECONDS) tools/fuzz $(FUZZ_NAMES)

# ---- figures, tidiness ----

bench: all $(BENCHES) ## start-up times, memory, CPU per certificate beside openssl speed
	$(Q)for b in $(BENCHES); do $$b || exit 1; done
	$(Q)ADCSD_BUILD="$$(cd $(B) && pwd)" $(PYTHON) -B tests/bench/bench.py $(BENCH_ARGS)
	$(Q)ADCSD_BUILD="$$(cd $(B) && pwd)" $(PYTHON) -B tests/bench/authentications.py
	$(Q)ADCSD_BUILD="$$(cd $(B) && pwd)" $(PYTHON) -B tests/bench/issuance.py

format: ## clang-format over src (the tables of the tests are laid out by hand)
	@clang-format -i $(wildcard src/*/*.[ch])
tidy: ## clang-tidy
	clang-tidy --quiet $(wildcard src/*/*.c) -- -std=c11 $(CPPFLAGS)
cppcheck: ## cppcheck
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	  --library=tools/cppcheck.cfg -Isrc src
spec-report: ## sections of the specifications cited in src/ and in tests/
	@tools/spec-report
clean: ## remove what was built
	rm -rf $(B) $(B)-asan

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
FORCE:
.SECONDARY:
.PHONY: FORCE all help deps deps-samba demo run install check check-fast check-unit check-seeds check-layers check-headers check-banned \
  check-e2e check-interop check-samba check-pkilint oracle mutate asan fuzz bench format tidy cppcheck spec-report clean
