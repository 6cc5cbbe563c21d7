package dial

import "net/netip"

// Scope is where an address leads.
type Scope byte

// The scopes, the widest last.
const (
	// Forbidden leads to nobody that should be asked: link-local addresses, those at which clouds tell their machines secrets,
	// multicast, and what is reserved or for documents.
	Forbidden Scope = iota
	// Local leads to this machine or to its own network.
	Local
	// Public leads to the Internet.
	Public
)

// String names the scope.
func (s Scope) String() string {
	switch s {
	case Forbidden:
		return "forbidden"
	case Local:
		return "local"
	case Public:
		return "public"
	}
	return "unknown"
}

// ranges lists addresses by scope; the first that matches decides, and an IPv4 address in none is public.
var ranges = []struct {
	prefix netip.Prefix
	scope  Scope
}{
	// What clouds tell their machines, within ranges that are otherwise local or public.
	{netip.MustParsePrefix("168.63.129.16/32"), Forbidden},
	{netip.MustParsePrefix("100.100.100.200/32"), Forbidden},
	{netip.MustParsePrefix("fd00:ec2::/32"), Forbidden},
	{netip.MustParsePrefix("fd20:ce::/32"), Forbidden},

	{netip.MustParsePrefix("0.0.0.0/8"), Forbidden},
	{netip.MustParsePrefix("10.0.0.0/8"), Local},
	{netip.MustParsePrefix("100.64.0.0/10"), Local},
	{netip.MustParsePrefix("127.0.0.0/8"), Local},
	{netip.MustParsePrefix("169.254.0.0/16"), Forbidden},
	{netip.MustParsePrefix("172.16.0.0/12"), Local},
	{netip.MustParsePrefix("192.0.0.0/24"), Forbidden},
	{netip.MustParsePrefix("192.0.2.0/24"), Forbidden},
	{netip.MustParsePrefix("192.88.99.0/24"), Forbidden},
	{netip.MustParsePrefix("192.168.0.0/16"), Local},
	{netip.MustParsePrefix("198.18.0.0/15"), Local},
	{netip.MustParsePrefix("198.51.100.0/24"), Forbidden},
	{netip.MustParsePrefix("203.0.113.0/24"), Forbidden},
	{netip.MustParsePrefix("224.0.0.0/3"), Forbidden},

	{netip.MustParsePrefix("::1/128"), Local},
	{netip.MustParsePrefix("fc00::/7"), Local},
	{netip.MustParsePrefix("2001::/23"), Forbidden},
	{netip.MustParsePrefix("2001:db8::/32"), Forbidden},
	{netip.MustParsePrefix("3fff::/20"), Forbidden},
	{netip.MustParsePrefix("2000::/3"), Public},
	{netip.MustParsePrefix("::/0"), Forbidden},
}

// embeddings lists the IPv6 addresses that lead to an IPv4 address, which stands in them from a byte on.
var embeddings = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4
}

// ScopeOf judges an address. One that carries an IPv4 address is judged by that.
func ScopeOf(a netip.Addr) Scope {
	if !a.IsValid() || a.Zone() != "" {
		return Forbidden
	}
	a = a.Unmap()
	for _, e := range embeddings {
		if e.prefix.Contains(a) {
			bytes := a.As16()
			return ScopeOf(netip.AddrFrom4([4]byte(bytes[e.at : e.at+4])))
		}
	}
	for _, r := range ranges {
		if r.prefix.Contains(a) {
			return r.scope
		}
	}
	return Public
}
