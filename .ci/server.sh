# A small store and a real server over it, for the scripts that call it from other languages.
#
#   source .ci/server.sh
#
# At the repository's root, with `set -euo pipefail`. Sets `target` (where cargo builds), `work` (a
# folder of this run) and, after `start_server`, `address`. Server and folder go when the script ends.

target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
server=
address=
finish() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null && wait "$server" || true
    fi
    rm -rf "$work"
}
trap finish EXIT

cargo build --workspace --bins

cat > "$work/list.csv" <<'CSV'
number,issuing_state,type,status,date_reported,authority,range_end
12AB34567,FRA,passport,stolen,2026-10-02,FRA-01,
20BB00100,FRA,passport,stolen_blank,2026-10-02,FRA-01,20BB00199
L9ZZ90001,D,identity_card,lost,2026-10-02,,
CSV
cat > "$work/sources.toml" <<'TOML'
[[source]]
name = "list"
path = "list.csv"
layout = "sltd-csv"
owns = ["*"]

[[authority]]
code = "FRA-01"
name = "National Central Bureau Paris"
contact = "+999 1"
issuing_state = "FRA"
TOML
"$target/debug/sltd-data" build --sources "$work/sources.toml" --store "$work/store" --as-of 2026-11-01 2> "$work/build.log" ||
    { cat "$work/build.log" >&2; exit 1; }

start_server() {
    "$target/debug/sltd" serve --store "$work/store" --listen 127.0.0.1:0 2> "$work/serve.log" &
    server=$!
    for _ in $(seq 300); do
        address=$(sed -n 's/.*serving.*address=\([0-9.:]*\).*/\1/p' "$work/serve.log" | head -n 1)
        [[ -n $address ]] && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server does not serve:" >&2
    cat "$work/serve.log" >&2
    exit 1
}
