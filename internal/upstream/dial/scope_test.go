package dial_test

import (
	"net/netip"
	"testing"

	"github.com/ingot-llm/ingot/internal/upstream/dial"
)

func TestScopeOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]dial.Scope{
		"8.8.8.8": dial.Public, "1.1.1.1": dial.Public, "11.0.0.0": dial.Public, "9.255.255.255": dial.Public, "172.15.255.255": dial.Public,
		"172.32.0.0": dial.Public, "100.63.255.255": dial.Public, "100.128.0.0": dial.Public, "168.63.129.17": dial.Public, "223.255.255.255": dial.Public,
		"2606:4700::1111": dial.Public, "2a00:1450::1": dial.Public, "2001:200::1": dial.Public,

		"10.0.0.0": dial.Local, "10.255.255.255": dial.Local, "127.0.0.1": dial.Local, "127.255.255.255": dial.Local, "172.16.0.1": dial.Local,
		"172.31.255.255": dial.Local, "192.168.0.1": dial.Local, "100.64.0.1": dial.Local, "100.127.255.255": dial.Local, "198.18.0.1": dial.Local,
		"::1": dial.Local, "fc00::1": dial.Local, "fdff::1": dial.Local,

		"0.0.0.0": dial.Forbidden, "0.1.2.3": dial.Forbidden, "169.254.0.1": dial.Forbidden, "169.254.169.254": dial.Forbidden, "169.254.170.2": dial.Forbidden,
		"168.63.129.16": dial.Forbidden, "100.100.100.200": dial.Forbidden, "192.0.0.192": dial.Forbidden, "192.0.2.1": dial.Forbidden,
		"192.88.99.1": dial.Forbidden, "198.51.100.1": dial.Forbidden, "203.0.113.1": dial.Forbidden, "224.0.0.1": dial.Forbidden,
		"239.255.255.255": dial.Forbidden, "240.0.0.1": dial.Forbidden, "255.255.255.255": dial.Forbidden,
		"::": dial.Forbidden, "::7f00:1": dial.Forbidden, "fe80::1": dial.Forbidden, "fe80::1%eth0": dial.Forbidden, "2606:4700::1%eth0": dial.Forbidden,
		"fec0::1": dial.Forbidden, "ff02::1": dial.Forbidden, "2001:db8::1": dial.Forbidden, "2001::1": dial.Forbidden, "3fff::1": dial.Forbidden,
		"100::1": dial.Forbidden, "5f00::1": dial.Forbidden, "64:ff9b:1::a00:1": dial.Forbidden, "4000::1": dial.Forbidden,
		"fd00:ec2::254": dial.Forbidden, "fd00:ec2::23": dial.Forbidden, "fd20:ce::254": dial.Forbidden,

		// An IPv4 address in another's clothes.
		"::ffff:8.8.8.8": dial.Public, "::ffff:127.0.0.1": dial.Local, "::ffff:169.254.169.254": dial.Forbidden,
		"64:ff9b::808:808": dial.Public, "64:ff9b::a00:1": dial.Local, "64:ff9b::a9fe:a9fe": dial.Forbidden,
		"2002:808:808::1": dial.Public, "2002:7f00:1::1": dial.Local, "2002:a9fe:a9fe::": dial.Forbidden,
	} {
		if got := dial.ScopeOf(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is %v, want %v", address, got, want)
		}
	}
	if got := dial.ScopeOf(netip.Addr{}); got != dial.Forbidden {
		t.Errorf("no address is %v", got)
	}
}

func FuzzScopeOf(f *testing.F) {
	for _, address := range []string{"8.8.8.8", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "fe80::1%lo", "2002:c0a8:1::"} {
		f.Add([]byte(address))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := netip.ParseAddr(string(raw))
		if err != nil {
			var ok bool
			if a, ok = netip.AddrFromSlice(raw); !ok {
				return
			}
		}
		scope := dial.ScopeOf(a)
		plain := a.Unmap()
		if scope == dial.Public && (plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified() || a.Zone() != "") {
			t.Errorf("%s is public", a)
		}
		if scope != dial.Forbidden && (plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified()) {
			t.Errorf("%s is %v", a, scope)
		}
		if a.Is4() {
			mapped := netip.AddrFrom16(a.As16())
			if got := dial.ScopeOf(mapped); got != scope {
				t.Errorf("%s is %v, and %s is %v", a, scope, mapped, got)
			}
		}
	})
}
