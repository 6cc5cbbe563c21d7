#!/usr/bin/env bash
# Runs the samples of examples/curl, and plain HTTP at each address, against INGOT_BIN (bin/ingot): mock models, and
# smollm2 and minilm on the real engine from the data folder INGOT_HOME. The lines that failed are the result.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
ingot=${INGOT_BIN:-$root/bin/ingot}
here=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
[[ -x $ingot ]] || { echo "run.sh: no $ingot: run make build" >&2; exit 1; }
export INGOT_KEY=key-of-the-tests
unset INGOT_ENDPOINT INGOT_TOKEN http_proxy https_proxy HTTP_PROXY HTTPS_PROXY

folder=$(mktemp -d)
pids=()
finish() {
	((${#pids[@]} == 0)) || { kill "${pids[@]}" && wait "${pids[@]}"; } 2>/dev/null || true
	rm -rf "$folder"
}
trap finish EXIT

# started waits for the first line of a file and prints the address in it.
started() {
	local line="" tries
	for ((tries = 0; tries < 600; tries++)); do
		[[ ! -e $1 ]] || read -r line <"$1" || true
		[[ $line =~ (127\.0\.0\.1:[0-9]+) ]] && { echo "${BASH_REMATCH[1]}"; return; }
		sleep 0.1
	done
	echo "run.sh: nothing started: $(cat "$1" "$1.log")" >&2
	return 1
}

# serve NAME ARGUMENTS… starts an endpoint, whose data folder is NAME, and leaves its address in the variable address.
serve() {
	local name=$1
	shift
	mkdir -p "$folder/$name"
	INGOT_HOME=$folder/$name "$ingot" serve --tls auto --listen 127.0.0.1:0 "$@" >"$folder/$name.out" 2>"$folder/$name.out.log" &
	pids+=($!)
	address=$(started "$folder/$name.out")
}

failed=0 passed=0 ok=0
# expect NAME PATTERNS COMMAND… runs a command whose output is to have a line that matches, for each line of the patterns.
# refused NAME PATTERNS COMMAND… is the same of a command that is to fail. ok says how it went.
expect() { judge 0 "$@"; }
refused() { judge 1 "$@"; }
judge() {
	local wanted=$1 name=$2 patterns=$3 out status=0 pattern
	shift 3
	ok=1
	out=$("$@" 2>&1) || status=1
	((status == wanted)) || ok=0
	while IFS= read -r pattern; do
		grep -qE -- "$pattern" <<<"$out" || ok=0
	done <<<"$patterns"
	if ((ok)); then
		passed=$((passed + 1))
	else
		echo "FAILED $name: exit status $status, wanted $wanted and lines with $patterns: $out"
		failed=$((failed + 1))
	fi
}

samples=$root/examples/curl
ran=" "
sample() { ran+="$1 " && expect "$1" "$2" "$samples/$1.sh"; }

serve mock --mock
mock=$address
export INGOT_ENDPOINT=http://$mock
sample basic-chat '"content":"What is the capital of France\?"'
sample streaming '^Tell me a very short story about a lighthouse\.$'
sample history $'^> What can I make of three eggs\\?$\n^And without a pan\\?$'
sample tools $'^get_weather\\(\\{"city":""\\}\\): The sky over  is clear and it is 21 degrees\\.$\n"content":"How is the weather in Paris\\?"'
sample structured-output '^\{"ingredients":\[""\],"minutes":1,"name":""\}$'
sample image-input '"content":"What shape is this, and of which colour\?"'
sample image-embeddings '^vectors of [0-9]+ numbers, cosine -?[01]\.[0-9]{3}$'
sample text-completion '"text":"Once upon a time there was"'
sample model-info $'"model_type":"chat_completion"\n"id":"mock-reasoning"'
sample github-models $'"content":"What is the capital of France\\?"\n"id":"mock-long"'
sample azure-openai $'"content":"What is the capital of France\\?"\n"embedding":"[A-Za-z0-9+/]+=*"'
expect 'another question' '^How do bees dance\?$' "$samples/embedding-search.sh" How do bees dance\?
INGOT_ENDPOINT=http://$mock/deployments/mock-reasoning sample reasoning $'^reasoning_content: The answer is what was said\\.$\n^content: A train leaves'
INGOT_KEY=wrong refused 'a wrong key' 'Auth token validation failed' "$samples/structured-output.sh"
INGOT_KEY=wrong refused 'a wrong key for a stream' 'Auth token validation failed' "$samples/streaming.sh"
INGOT_KEY='' refused 'no key' 'INGOT_KEY: set it to a key' "$samples/basic-chat.sh"

ln -s "$ingot" "$folder/ingot"
INGOT_ENDPOINT=https://$mock INGOT_HOME=$folder/mock PATH=$folder:$PATH sample tls '"content":"What is the capital of France\?"'
INGOT_ENDPOINT=https://$mock refused 'an authority that is not known' certificate "$samples/basic-chat.sh"

# Tokens of an authority in place of Microsoft Entra ID.
tenant=11111111-2222-4333-8444-000000000000
(cd "$root" && go build -o "$folder/authority" ./test/entra)
"$folder/authority" >"$folder/authority.out" 2>"$folder/authority.out.log" &
pids+=($!)
authority=http://$(started "$folder/authority.out")
cat >"$folder/entra.yaml" <<END
entra:
  tenants: [$tenant]
  first_party: on
  audiences: []
  authority: $authority
  allow: {objects: [$tenant]}
models: {mock: {provider: mock}}
END
serve entra --config "$folder/entra.yaml"
INGOT_TOKEN=$(curl -sS --fail "$authority/token?tid=$tenant&oid=$tenant&aud=https://ml.azure.com&version=1.0") \
	INGOT_ENDPOINT=https://$address CURL_CA_BUNDLE=$folder/entra/tls/ca.pem sample entra '"content":"What is the capital of France\?"'

# Real answers, and real vectors: the text about a puncture is nearest to the question about a flat tyre.
mkdir -p "$folder/real"
ln -s "$here/engine" "$here/models" "$folder/real"
echo 'models: {smollm2: {local: smollm2, threads: 1, context: 2048}, minilm: {local: minilm, threads: 1}}' >"$folder/real.yaml"
serve real --config "$folder/real.yaml"
export INGOT_ENDPOINT=http://$address
sample basic-chat '"content":"[^"]*Paris'
sample tools '^get_weather\(\{"city": ?"[^"]+"\}\): The sky over [^ ]+ is clear'
sample structured-output '^\{"name":"[^"]*","minutes":[0-9]+,"ingredients":\["'
sample embedding-search '^How do I repair a flat tyre\?$'
nearest() { "$samples/embedding-search.sh" | sed -n 2p; }
expect 'the nearest text' '^ 0\.[0-9]+  bicycle.txt$' nearest

for file in "$samples"/*.sh; do
	name=$(basename "$file" .sh)
	expect "$name was run" "$name" grep -o " $name " <<<"$ran"
done

# Each operation at each address.
client="curl (plain HTTP)"
rows=()
# at ADDRESS OPERATION MODEL PATH PATTERN [BODY] notes what an address is seen to do, for the tables of clients.
at() {
	local place=${1//\{name\}/$3} body=()
	place=${place//\{org\}/acme}
	(($# < 6)) || body=(-H 'Content-Type: application/json' -d "$6")
	expect "$2 at ${1:-/}" "$5" curl -sSN --fail-with-body -H "Authorization: Bearer $INGOT_KEY" "${body[@]}" "http://$mock$place$4"
	((!ok)) || rows+=("[\"$client\", \"$1\", \"$2\"]")
}

hello='"model": "mock", "messages": [{"role": "user", "content": "Hello there"}]'
picture=$(base64 <"$root/examples/pictures/circle.png" | tr -d '\n')
schema='{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
# offered ADDRESS OPERATION… does those at an address; Azure OpenAI's wants a version.
offered() {
	local address=$1 operation version=""
	shift
	[[ $address != /openai/deployments* && $address != /openai ]] || version='?api-version=2024-10-21'
	for operation in "$@"; do
		case $operation in
		chat)
			at "$address" chat/completions mock "/chat/completions$version" '"content":"Hello there"' "{$hello}"
			at "$address" 'chat/completions, streamed' mock "/chat/completions$version" $'"content":" there"\n^data: \\[DONE\\]' "{$hello, \"stream\": true}"
			at "$address" 'chat/completions with images' mock "/chat/completions$version" '"content":"What"' \
				"{\"model\": \"mock\", \"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"What\"}, {\"type\": \"image_url\", \"image_url\": {\"url\": \"data:image/png;base64,$picture\"}}]}]}"
			at "$address" 'chat/completions with tools' mock "/chat/completions$version" '"arguments":"\{\\"city\\":\\"\\"\}"' \
				"{$hello, \"tool_choice\": \"required\", \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": $schema}}]}"
			at "$address" 'chat/completions with a schema' mock "/chat/completions$version" '"content":"\{\\"city\\":\\"\\"\}"' \
				"{$hello, \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"s\", \"schema\": $schema}}}"
			at "$address" completions mock "/completions$version" '"text":"Hello"' '{"model": "mock", "prompt": "Hello"}'
			at "$address" embeddings mock-embedding "/embeddings$version" '"embedding":\[-?[0-9.e-]+,-?[0-9.e-]+\]' \
				'{"model": "mock-embedding", "input": ["Hello"], "dimensions": 2}'
			;;
		inference)
			at "$address" images/embeddings mock-image-embedding /images/embeddings '"embedding":\[-?[0-9.e-]+,-?[0-9.e-]+\]' \
				"{\"model\": \"mock-image-embedding\", \"input\": [{\"image\": \"data:image/png;base64,$picture\"}], \"dimensions\": 2}"
			at "$address" info mock /info '"model_name":"mock"'
			;;
		responses) at "$address" responses mock "/responses$version" '"text":"Hello"' '{"model": "mock", "input": "Hello"}' ;;
		models) at "$address" models mock "/models$version" '"id":"mock"' ;;
		catalog) at "$address" catalog/models mock /catalog/models '"id":"mock"' ;;
		esac
	done
}

offered '' chat inference catalog
for address in /models '/deployments/{name}' /inference '/orgs/{org}/inference'; do offered "$address" chat inference; done
offered '/openai/deployments/{name}' chat
offered /openai responses models
for address in /v1 /openai/v1 /inference/v1; do offered "$address" chat responses models; done

if [[ -n ${INGOT_TEST_DOORS:-} ]]; then
	(
		IFS=,
		echo "[${rows[*]}]"
	) >"$INGOT_TEST_DOORS/curl.json"
fi
echo "curl: $passed passed, $failed failed"
((failed == 0))
