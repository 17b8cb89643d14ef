module credhub

go 1.25.7

require (
	code.cloudfoundry.org/credhub-cli v0.0.0-20260727130059-9e78db728bcf
	github.com/cloudfoundry/bosh-cli/v7 v7.10.8
)

require (
	github.com/bmatcuk/doublestar v1.3.4 // indirect
	github.com/cloudfoundry/bosh-utils v0.0.630 // indirect
	github.com/cloudfoundry/go-socks5 v0.0.0-20250423223041-4ad5fea42851 // indirect
	github.com/cloudfoundry/socks5-proxy v0.2.183 // indirect
	github.com/cppforlife/go-patch v0.2.0 // indirect
	github.com/fatih/color v1.19.0 // indirect
	github.com/hashicorp/go-version v1.9.0 // indirect
	github.com/jessevdk/go-flags v1.6.1 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/term v0.45.0 // indirect
	gopkg.in/yaml.v2 v2.4.0 // indirect
)

tool code.cloudfoundry.org/credhub-cli
