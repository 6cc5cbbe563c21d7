#!/usr/bin/env bash
# `make run`: from a clone to a real answer. Checks what the machine needs, builds Ingot, lets
# `ingot serve` fetch the engine and the models, asks the endpoint one question, and prints
# samples with its real address and key. LISTEN=HOST:PORT chooses another address.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

listen=${LISTEN:-127.0.0.1:8080}
question='What is the capital of France?'

# need COMMAND-LINE WHAT PACKAGE: complains unless the command succeeds.
missing=0
need() {
	bash -c "$1" >/dev/null 2>&1 && return
	if [[ $(uname) == Darwin ]]; then
		echo "make run: missing $2; install it with: brew install $4" >&2
	else
		echo "make run: missing $2; install it with: apt-get update && apt-get install -y $3" >&2
	fi
	missing=1
}
python=python3
command -v python3 >/dev/null || ! command -v python >/dev/null || python=python
need 'git --version' git git git
need 'make --version' make make make
need 'go version' 'go (1.21 or newer fetches the release that go.mod names)' golang-go go
need "$python -c 'import sys; sys.exit(sys.version_info < (3, 10))'" 'python 3.10 or newer' python3 python
need "$python -m pip --version" "pip of $python" python3-pip python
((missing == 0)) || exit 1

# A first build takes a while, so it shows the seconds that it has taken.
build() {
	local log status=0 start=$SECONDS pid
	log=$(mktemp)
	make --no-print-directory build >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		if [[ -t 2 ]] && ((SECONDS > start)); then printf '\rbuilding bin/ingot: %d s ' $((SECONDS - start)) >&2; fi
		sleep 0.2
	done
	wait "$pid" || status=$?
	if [[ -t 2 ]] && ((SECONDS > start)); then printf '\n' >&2; fi
	((status == 0)) || cat "$log" >&2
	rm -f "$log"
	return $status
}

scratch=$(mktemp -d)
server=
stop() {
	trap '' INT TERM
	if [[ -n $server ]] && kill -TERM "$server" 2>/dev/null; then wait "$server" || true; fi
	rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT # before the endpoint is ready; after that, Ctrl-C is how it is meant to end
trap 'exit 143' TERM

[[ -t 2 ]] || echo 'building bin/ingot' >&2
build

# The ready line comes through a pipe, so that progress bars have the terminal to themselves.
mkfifo "$scratch/ready"
bin/ingot serve --log warn --listen "$listen" >"$scratch/ready" &
server=$!
exec 3<"$scratch/ready"
url='' key=''
while IFS= read -r line <&3; do
	echo "$line"
	if [[ $line =~ http://[^\ ]+ ]]; then url=${BASH_REMATCH[0]}; fi
	if [[ $line == 'Ready.'* ]]; then
		key=${INGOT_KEY:-$(cat "${line#*is in }")}
		break
	fi
done
if [[ -z $key ]]; then
	wait "$server" || exit $?
	exit 1
fi

printf '\n> %s\n' "$question"
bin/ingot chat --endpoint "$url" --temperature 0 "$question"

cat <<SAMPLES

Paste one of these into another terminal.

# --- curl
curl -s "$url/chat/completions?api-version=2024-05-01-preview" \\
  -H "api-key: $key" -H "Content-Type: application/json" \\
  -d '{"messages": [{"role": "user", "content": "$question"}], "temperature": 0}'

# --- Python
python3 -m venv ingot-sample && . ingot-sample/bin/activate && pip install -q azure-ai-inference==1.0.0b9
python - <<'END'
from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential

key = AzureKeyCredential("$key")
chat = ChatCompletionsClient("$url", key)
for update in chat.complete(messages=[UserMessage("$question")], temperature=0, stream=True):
    print(update.choices[0].delta.content or "", end="")
print()
vectors = EmbeddingsClient("$url", key).embed(input=["a cat on a mat"]).data
print(len(vectors[0].embedding), "dimensions")
END

# --- JavaScript
mkdir -p ingot-sample-js && cd ingot-sample-js
npm install --silent --no-fund --no-audit @azure-rest/ai-inference@1.0.0-beta.6 @azure/core-auth
cat > chat.mjs <<'END'
import ModelClient from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const client = ModelClient("$url", new AzureKeyCredential("$key"), { allowInsecureConnection: true });
const response = await client.path("/chat/completions").post({
  body: { messages: [{ role: "user", content: "$question" }], temperature: 0 },
});
if (response.status !== "200") throw response.body.error;
console.log(response.body.choices[0].message.content);
END
node chat.mjs

# --- end
Ctrl-C stops the endpoint.
SAMPLES
trap 'exit 0' INT TERM
wait "$server"
