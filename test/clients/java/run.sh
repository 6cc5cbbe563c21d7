#!/usr/bin/env bash
# Tests the Java SDKs azure-ai-inference and openai-java against INGOT_BIN (bin/ingot), over TLS with a truststore made as
# `ingot trust` says, and runs examples/java. Arguments go to mvn.
#
# What Maven fetches is kept in INGOT_TEST_CACHE until a pom.xml or java changes; from then on it works offline.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot} INGOT_TEST_ROOT=$root
export INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

missing=()
javac --release 17 --version >/dev/null 2>&1 || missing+=("javac of Java 17 or newer (openjdk-17-jdk-headless)")
command -v mvn >/dev/null || missing+=("mvn (maven)")
if ((${#missing[@]})); then
	printf 'run.sh: missing %s\n' "${missing[@]}" >&2
	echo "run.sh: on Debian: apt-get install -y openjdk-17-jdk-headless maven" >&2
	exit 1
fi

examples=$root/examples/java
hash=$({ cat pom.xml "$examples/pom.xml"; java -version 2>&1; } | sha256sum)
place=$INGOT_TEST_CACHE/java-${hash:0:16}
mkdir -p "$place"
mvn=(mvn --batch-mode --no-transfer-progress "-Dmaven.repo.local=$place/repository" -Dstyle.color=never
	-Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.org.apache.maven.plugin.surefire=info)
# Only a run that succeeded has fetched all: the runner of the tests comes last.
[[ ! -e $place/fetched ]] || mvn+=(--offline)

# Built elsewhere, so that the work tree stays as it is and two runs do not meet.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tests" "$work/examples"
cp -r pom.xml src "$work/tests"
cp -r "$examples"/{pom.xml,src} "$work/examples"

export INGOT_TEST_TLS=$work/authority/tls
mkdir -m 700 "$work/authority"
says=$(INGOT_HOME=$work/authority "$INGOT_BIN" trust)
bash -c "$(grep -o 'keytool .*' <<<"$says")" 2>"$work/keytool.log" || { cat "$work/keytool.log" >&2; exit 1; }
trust=$(grep -o -- '-Djavax.net.ssl[^ ]*' <<<"$says" | paste -sd ' ')
[[ -n $trust ]] || { echo "run.sh: ingot trust does not say how Java comes to trust it" >&2; exit 1; }

(cd "$work/examples" && "${mvn[@]}" compile exec:exec -Dexec.executable=bash '-Dexec.args=-c "echo $0 >classpath" %classpath')
INGOT_TEST_EXAMPLES=$(<"$work/examples/classpath")
export INGOT_TEST_EXAMPLES INGOT_TEST_TRUST=$trust INGOT_TEST_PROJECT=$work/examples INGOT_TEST_REPOSITORY=$place/repository
"${mvn[@]}" -f "$work/tests" test "-DargLine=$trust" "$@"
touch "$place/fetched"
