# Where the scripts keep what they install and build outside the source tree. Sourced, not run.
#
#   python/         the venv with the client libraries and the tools that come as wheels
#   node/<client>/  node_modules of each JavaScript client of clients/
#   rust/           cargo's target directory of the Rust clients
#   prometheus/     Debian's Prometheus, unpacked
#   nginx/          Debian's nginx, unpacked (scripts/setup --bench)
#
# The tests that run the client programs look for them at the same place (TANDEM_CACHE).

export TANDEM_CACHE="${TANDEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem}"
export PYTHONDONTWRITEBYTECODE=1
