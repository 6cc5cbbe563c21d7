package pattern

// The parts of formats, for whole texts. They are narrower than the formats:
// every judge takes what they take, and names and numbers have bounds.
const (
	year  = `[1-9][0-9]{3}`
	leap  = `(?:[1-9][0-9](?:0[48]|[2468][048]|[13579][26])|[2468][048]00|1[26]00)`
	days  = `(?:0[1-9]|1[0-9]|2[0-8])`
	day   = `(?:` + year + `-(?:(?:0[13578]|1[02])-(?:` + days + `|29|30|31)|(?:0[469]|11)-(?:` + days + `|29|30)|02-` + days + `)|` + leap + `-02-29)`
	clock = `(?:[01][0-9]|2[0-3]):[0-5][0-9]`
	time  = clock + `:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-]` + clock + `)`
	count = `[0-9]{1,4}`
	spanD = `(?:` + count + `Y(?:` + count + `M(?:` + count + `D)?)?|` + count + `M(?:` + count + `D)?|` + count + `D)`
	spanT = `T(?:` + count + `H(?:` + count + `M(?:` + count + `S)?)?|` + count + `M(?:` + count + `S)?|` + count + `S)`
	host  = `(?:[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){0,2}\.){0,3}[A-Za-z]{2,20}`
	email = `[A-Za-z0-9_+-]{1,32}(?:\.[A-Za-z0-9_+-]{1,16})?@` + host
	octet = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	group = `[0-9a-f]{1,4}`
	path  = `(?:/[A-Za-z0-9_.~-]{0,24}){0,6}`
	extra = `(?:\?[A-Za-z0-9_.~=&-]{0,64})?(?:#[A-Za-z0-9_.~-]{0,24})?`
	uri   = `(?:[a-z]{2,10}://` + host + `(?::[1-9][0-9]{0,3})?` + path + extra + `|urn:[a-z0-9]{2,20}:[A-Za-z0-9_.~-]{1,64}|mailto:` + email + `)`
	steps = `(?:/[A-Za-z0-9_.-]{0,24}){0,6}`
)

// Formats lists the formats that Enforce enforces.
func Formats() []string {
	return []string{
		"date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6",
		"uri", "uri-reference", "uri-template", "iri", "iri-reference", "uuid", "json-pointer", "relative-json-pointer",
	}
}

// Format is the expression for the whole text of a format, empty for one
// that is not enforced.
func Format(name string) string {
	switch name {
	case "date-time":
		return day + "T" + time
	case "date":
		return day
	case "time":
		return time
	case "duration":
		return `P(?:` + spanD + `(?:` + spanT + `)?|` + spanT + `|` + count + `W)`
	case "email", "idn-email":
		return email
	case "hostname", "idn-hostname":
		return host
	case "ipv4":
		return `(?:` + octet + `\.){3}` + octet
	case "ipv6":
		return `(?:(?:` + group + `:){7}` + group + `|::(?:` + group + `(?::` + group + `){0,5})?|(?:` + group + `:){1,6}:` + group + `|(?:` + group + `:){1,7}:)`
	case "uri", "uri-template", "iri":
		return uri
	case "uri-reference", "iri-reference":
		return `(?:` + uri + `|` + path + extra + `)`
	case "uuid":
		return `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	case "json-pointer":
		return steps
	case "relative-json-pointer":
		return `(?:0|[1-9]{1,3})(?:#|(?:/[A-Za-z0-9_.-]{0,24}){1,6})`
	}
	return ""
}
