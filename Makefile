# SPDX-License-Identifier: GPL-2.0-only
#
# nf_conntrack_sip_strict, out of the kernel's tree. What kbuild needs is in
# Kbuild; what people type is here. "make help" lists it.
#
# KVER is the kernel that is built for, KDIR its headers.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
UNIT := $(MAKE) -C selftests/unit

all: modules ## the module for KVER= (or KDIR=), default the running kernel

modules: headers ## the same
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tool: ## what scripts/sip-strict explain runs: the core in user space, with libpcap
	+$(MAKE) -C scripts/sip-strict.d

install-tool: tool ## sip-strict, its man page and its completion into DESTDIR, PREFIX=/usr/local
	+$(MAKE) -C scripts/sip-strict.d install

deb: ## Debian packages with DKMS, and the tool, into deb-out/
	scripts/deb

dkms-install: ## the module by DKMS, without a package (as root)
	scripts/dkms install

dkms-remove: ## what dkms-install did, undone
	scripts/dkms remove

install: modules ## put the module where modprobe finds it (as root)
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates modules_install
	depmod $(KVER)

build-all: ## for all four Debian kernels, W=1 and sparse, no warning allowed
	scripts/build --strict all

check: ## everything: lint, unit tests, selftests in a VM on 6.1 and the newest kernel
	scripts/check

check-all: ## the same on all four kernels
	scripts/check --all

check-debug: ## all selftests in a kernel with KASAN, lockdep, kmemleak and others
	scripts/debug-kernel check

compare: ## every call without a helper, with the in-tree one, with ours: docs/compare.md, README.md
	@scripts/compare

check-package: ## the Debian packages: install, load, call, upgrade, another kernel, purge
	scripts/check-package

check-unit: ## unit tests of the core, in user space
	scripts/deps core
	+$(UNIT) check

check-foreign: ## the same for a 32-bit, big-endian processor, emulated
	scripts/deps foreign
	+$(UNIT) check-foreign

lint: ## checkpatch, shellcheck
	scripts/lint

demo: ## a call through a gateway, with the in-tree helper and with this one
	scripts/demo

fuzz: ## fuzz the core (TIME= seconds for each target)
	scripts/deps core
	+$(UNIT) fuzz

bench-core: ## instructions per message, in user space
	scripts/deps core
	+$(UNIT) bench-core

coverage: ## which lines of the core the unit tests run
	scripts/deps core
	+$(UNIT) coverage

clean: clean-module ## remove what was built in this tree
	+$(MAKE) -C scripts/sip-strict.d clean
	+$(UNIT) clean
	rm -rf demo-out deb-out

clean-module: ## remove the module and its objects
	rm -f nf_conntrack_sip_strict.ko nf_conntrack_sip_strict.o nf_conntrack_sip_strict.mod*
	rm -f Module.symvers modules.order Module.markers .Module.symvers.cmd .modules.order.cmd
	rm -f .nf_conntrack_sip_strict.* .module-common.o .*.o.cmd
	find nf_conntrack_sip_strict \( -name '*.o' -o -name '.*.cmd' -o -name '.*.d' \) -delete

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/\1\t\2/p' Makefile | awk -F '\t' '{ printf "  %-14s %s\n", $$1, $$2 }'

headers:
	@:$(if $(wildcard $(KDIR)/Makefile),,$(error no headers for kernel $(KVER) at $(KDIR): apt-get install linux-headers-$(KVER), or name them with KDIR=))

.PHONY: all modules tool install-tool deb dkms-install dkms-remove install build-all check check-all check-debug \
	compare check-package check-unit check-foreign lint demo fuzz bench-core \
	coverage clean clean-module help headers
