"""The names of the candidates, as in the tables and in target/bench.json."""

NONE, NOOP = "no filter", "no-op filter"
# It answers every request itself and checks nothing.
ANSWER = "reply-only filter"
RELAXED, BATCHED = "playlock", "playlock, batched"
# With tokens in the path. The others have them in the query.
PATH = "playlock, tokens in the path"
# With every format of access tokens.
FORMATS = "playlock, every format"
# By samples, for MPDs.
CBCS, CENC = "playlock, cbcs", "playlock, cenc"
STRICT, PORTABLE = "playlock strict", "playlock RustCrypto"
IDENTITY = "playlock without cipher"
EXT_PROC, LUA = "Envoy ext_proc, AES-NI", "nginx + Lua, AES-NI"
