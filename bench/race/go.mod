// With go.work this module takes its dependencies, and the replacements among them, from tests/e2e.
module muster.dev/race

go 1.26.0
