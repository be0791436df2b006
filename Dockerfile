# Owns the OCI image of the module, as Istio and Envoy Gateway fetch it: one file, /plugin.wasm, and nothing that runs.
#   make wasm && docker build -t registry.example/playlock:0.1.0 . && docker push registry.example/playlock:0.1.0
FROM scratch
COPY target/playlock.wasm /plugin.wasm
