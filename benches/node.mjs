// Runs the kernel modules in Node's V8 and prints the CPU seconds of every cell of every round as JSON.
//   node node.mjs '{"rounds": 3, "modules": {"NAME": "FILE"}, "cells": [{"module": "NAME", "arguments": [0, 1, 64]}]}'
import { readFileSync } from "node:fs";

const { rounds, modules, cells } = JSON.parse(process.argv[2]);

// Nothing that measures calls the host: any function will do.
function start(file) {
  const module = new WebAssembly.Module(readFileSync(file));
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => 0;
  }
  return new WebAssembly.Instance(module, imports).exports.measure;
}

const started = Object.fromEntries(Object.entries(modules).map(([name, file]) => [name, start(file)]));
const seconds = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
};

for (const cell of cells) started[cell.module](...cell.arguments); // warm
const results = [];
for (let round = 0; round < rounds; round++) {
  results.push(cells.map((cell) => {
    const began = seconds();
    started[cell.module](...cell.arguments);
    return seconds() - began;
  }));
}
console.log(JSON.stringify({ v8: process.versions.v8, node: process.version, results }));
