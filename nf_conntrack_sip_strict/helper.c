// SPDX-License-Identifier: GPL-2.0-only
/*
 * helper.c - the conntrack helpers: the marker that rule sets give to a flow.
 *
 * Two of them, each for UDP and TCP and both families: the one named by
 * helper_name, and sip-observe, whose flows are only watched. They do no work:
 * hooks.c does it at 300, where a packet has its hook state and can be held,
 * split and sent on. The help callback runs in too many other places (bridge
 * conntrack, Open vSwitch, act_ct) to edit anything in it.
 *
 * A flow is looked up by comparing its helper with what was registered. Both
 * are RCU pointers; ours are cleared, and a grace period passes, before the
 * helpers are unregistered, so that none is given to a flow any more by then.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/module.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_seqadj.h>

#include "sip_strict.h"

/* What an expectation in a class may be: the counters of the core are 8 bits wide. */
#define SIP_STRICT_EXPECT_MAX 255
#define SIP_STRICT_EXPECT_TIMEOUT 180 /* seconds; published ones are refreshed */

static char *helper_name = SIP_STRICT_NAME;
module_param(helper_name, charp, 0444);
MODULE_PARM_DESC(helper_name, "name that rules give flows to this helper by (default: sip-strict)");

static unsigned short ports[8] = { 5060 };
static unsigned int ports_count = 1;
module_param_array(ports, ushort, &ports_count, 0444);
MODULE_PARM_DESC(ports, "ports that auto_assign watches (default: 5060)");

enum {
	SIP_STRICT_HELPER_UDP,
	SIP_STRICT_HELPER_TCP,
	SIP_STRICT_OBSERVER_UDP,
	SIP_STRICT_OBSERVER_TCP,
	SIP_STRICT_HELPERS
};

static struct nf_conntrack_helper *sip_strict_helpers[SIP_STRICT_HELPERS] __read_mostly;

static const struct nf_conntrack_expect_policy sip_strict_policy[] = {
	[SIP_STRICT_CLASS_SIGNALLING] = {
		.name = "signalling",
		.max_expected = SIP_STRICT_EXPECT_MAX,
		.timeout = SIP_STRICT_EXPECT_TIMEOUT,
	},
	[SIP_STRICT_CLASS_AUDIO] = {
		.name = "audio",
		.max_expected = SIP_STRICT_EXPECT_MAX,
		.timeout = SIP_STRICT_EXPECT_TIMEOUT,
	},
	[SIP_STRICT_CLASS_VIDEO] = {
		.name = "video",
		.max_expected = SIP_STRICT_EXPECT_MAX,
		.timeout = SIP_STRICT_EXPECT_TIMEOUT,
	},
	[SIP_STRICT_CLASS_OTHER] = {
		.name = "image",
		.max_expected = SIP_STRICT_EXPECT_MAX,
		.timeout = SIP_STRICT_EXPECT_TIMEOUT,
	},
};

static int sip_strict_help(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
			   enum ip_conntrack_info ctinfo)
{
	return NF_ACCEPT;
}

/**
 * sip_strict_helper_of() - has this flow one of our helpers?
 * @ct: the flow
 * @observe: set where the answer is yes: it is sip-observe
 *
 * Context: RCU read lock held.
 * Return: true if it has.
 */
bool sip_strict_helper_of(const struct nf_conn *ct, bool *observe)
{
	const struct nf_conntrack_helper *helper;
	const struct nf_conn_help *help = nfct_help(ct);
	int i;

	if (!help)
		return false;
	helper = rcu_dereference(help->helper);
	if (!helper)
		return false;
	for (i = 0; i < SIP_STRICT_HELPERS; i++) {
		if (helper != READ_ONCE(sip_strict_helpers[i]))
			continue;
		*observe = i >= SIP_STRICT_OBSERVER_UDP;
		return true;
	}
	return false;
}

/**
 * sip_strict_helper_assign() - give the helper to a new flow
 * @ct: the flow, with its first packet
 *
 * A TCP flow gets room for sequence offsets as well, translated or not, for
 * extensions cannot be added later.
 *
 * Context: softirq, RCU read lock held.
 * Return: 0; -EINVAL: confirmed, or another protocol; -EEXIST: it has a helper,
 * or a rule said that it gets none; -ENOMEM; -ENOENT: the module goes away.
 */
int sip_strict_helper_assign(struct nf_conn *ct)
{
	struct nf_conntrack_helper *helper;
	u8 proto = nf_ct_protonum(ct);

	if (nf_ct_is_confirmed(ct) || (proto != IPPROTO_UDP && proto != IPPROTO_TCP))
		return -EINVAL;
	if (test_bit(IPS_HELPER_BIT, &ct->status) || nfct_help(ct))
		return -EEXIST;
	helper = READ_ONCE(sip_strict_helpers[proto == IPPROTO_TCP ? SIP_STRICT_HELPER_TCP :
								     SIP_STRICT_HELPER_UDP]);
	if (!helper)
		return -ENOENT;
	if (proto == IPPROTO_TCP && !nfct_seqadj(ct) && !nfct_seqadj_ext_add(ct))
		return -ENOMEM;
	return sip_strict_helper_attach(ct, helper) ? 0 : -ENOMEM;
}

/**
 * sip_strict_port_watched() - is this a port of the parameter ports?
 * @port: the port, network order
 *
 * Context: any.
 * Return: true if it is.
 */
bool sip_strict_port_watched(__be16 port)
{
	unsigned int i;

	for (i = 0; i < ports_count; i++)
		if (port == htons(ports[i]))
			return true;
	return false;
}

static int sip_strict_params_check(void)
{
	size_t len = strlen(helper_name);
	unsigned int i;
	size_t j;

	if (!len || len >= NF_CT_HELPER_NAME_LEN) {
		pr_err("helper_name must have 1 to %d characters\n", NF_CT_HELPER_NAME_LEN - 1);
		return -EINVAL;
	}
	for (j = 0; j < len; j++) {
		if (!isascii(helper_name[j]) || !isgraph(helper_name[j])) {
			pr_err("helper_name must be printable characters without blanks\n");
			return -EINVAL;
		}
	}
	if (!strcmp(helper_name, SIP_STRICT_OBSERVE_NAME)) {
		pr_err("helper_name must not be %s, the name of the observing helper\n",
		       SIP_STRICT_OBSERVE_NAME);
		return -EINVAL;
	}
	for (i = 0; i < ports_count; i++) {
		if (!ports[i]) {
			pr_err("ports must be from 1 to 65535\n");
			return -EINVAL;
		}
	}
	return 0;
}

static void sip_strict_params_show(void)
{
	char text[6 * ARRAY_SIZE(ports) + 1];
	unsigned int len = 0;
	unsigned int i;

	for (i = 0; i < ports_count; i++)
		len += scnprintf(text + len, sizeof(text) - len, i ? ",%u" : "%u", ports[i]);
	pr_info("version %s, helper %s, ports %s\n", THIS_MODULE->version ?: "unknown",
		helper_name, text);
}

/*
 * Older kernels let a helper of no family in beside one of IPv4 with the same
 * name, and a rule would get either.
 */
static bool sip_strict_name_is_taken(const char *name, u8 proto)
{
	bool taken;

	rcu_read_lock();
	taken = __nf_conntrack_helper_find(name, NFPROTO_IPV4, proto) ||
		__nf_conntrack_helper_find(name, NFPROTO_IPV6, proto);
	rcu_read_unlock();
	return taken;
}

static void sip_strict_helpers_unregister(void)
{
	struct nf_conntrack_helper *helpers[SIP_STRICT_HELPERS];
	int i;

	for (i = 0; i < SIP_STRICT_HELPERS; i++) {
		helpers[i] = sip_strict_helpers[i];
		WRITE_ONCE(sip_strict_helpers[i], NULL);
	}
	/* No hook is giving one of them to a flow after this. */
	synchronize_rcu();
	for (i = SIP_STRICT_HELPERS - 1; i >= 0; i--)
		sip_strict_helper_unregister(&helpers[i]);
}

/**
 * sip_strict_helper_init() - check the parameters, register the helpers
 *
 * Context: module load.
 * Return: 0; -EINVAL: a bad parameter; -EBUSY: a name is taken; -ENOMEM. The
 * log says which.
 */
int sip_strict_helper_init(void)
{
	int i, ret;

	BUILD_BUG_ON(ARRAY_SIZE(sip_strict_policy) != NF_CT_MAX_EXPECT_CLASSES);

	ret = sip_strict_params_check();
	if (ret)
		return ret;
	for (i = 0; i < SIP_STRICT_HELPERS; i++) {
		struct nf_conntrack_helper *helper;
		bool observer = i >= SIP_STRICT_OBSERVER_UDP;
		const char *name = observer ? SIP_STRICT_OBSERVE_NAME : helper_name;
		u8 proto = i & 1 ? IPPROTO_TCP : IPPROTO_UDP;

		ret = -EBUSY;
		if (!sip_strict_name_is_taken(name, proto))
			ret = sip_strict_helper_register(&helper, proto, name, observer,
							 sip_strict_policy,
							 ARRAY_SIZE(sip_strict_policy) - 1,
							 sip_strict_help);
		if (ret == -EBUSY)
			pr_err("the name %s is held by another helper (\"sip\": by nf_conntrack_sip): unload that one, or choose another helper_name\n",
			       name);
		else if (ret)
			pr_err("helper %s cannot be registered: error %d\n", name, ret);
		if (ret)
			goto err;
		WRITE_ONCE(sip_strict_helpers[i], helper);
	}
	sip_strict_params_show();
	return 0;

err:
	sip_strict_helpers_unregister();
	return ret;
}

/**
 * sip_strict_helper_exit() - unregister the helpers
 *
 * Context: module unload; waits for grace periods.
 */
void sip_strict_helper_exit(void)
{
	sip_strict_helpers_unregister();
}

MODULE_ALIAS_NFCT_HELPER(SIP_STRICT_NAME);
MODULE_ALIAS_NFCT_HELPER(SIP_STRICT_OBSERVE_NAME);
