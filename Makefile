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
PKGS = libcrypto sqlite3 jansson libevent
CPPFLAGS += -Isrc -D_GNU_SOURCE -DLDAP_DEPRECATED=0 $(shell pkg-config --cflags $(PKGS))
CFLAGS += -std=c11 $(OPT) $(WARN) $(SAN) -fno-strict-aliasing -fstack-protector-strong -D_FORTIFY_SOURCE=$(if $(SAN),0,2)
LDFLAGS += $(SAN) -Wl,-z,relro,-z,now
LDLIBS += $(shell pkg-config --libs $(PKGS)) -levent_pthreads -lldap -llber -linih -lpthread

# Folders of src/, lowest layer first.
FOLDERS = base ndr idl auth net x509 dir store policy ca logon rpc svc control ctl
PROGRAMS = adcsd adcsctl

# $(call below,folder): the libraries a unit test of that folder links.
LINK_base = base
LINK_ndr = ndr base
LINK_idl = idl ndr base
LINK_auth = auth ndr base
LINK_net = net base
LINK_x509 = x509 base
LINK_dir = dir base
LINK_store = store base
LINK_policy = policy x509 auth base
LINK_ca = ca policy x509 auth dir store base
LINK_logon = logon auth dir base
LINK_rpc = rpc net idl ndr auth base
LINK_svc = svc rpc net idl ndr ca policy x509 auth dir store base
LINK_control = control ca net policy x509 auth dir store base
LINK_ctl = ctl policy x509 auth dir base
LINK_adcsd = adcsd control svc rpc net idl logon ca policy x509 dir store auth ndr base

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
$(B)/lib$(1).a: $$(OBJ_$(1))
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
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

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
.PHONY: all help check-unit check-seeds
