# p2pchat for Nix, built from this source:
#   nix run github:OWNER/p2pchat -- --registry 192.168.1.10
#   nix profile install github:OWNER/p2pchat
{
  description = "Encrypted chat between computers on one network, without a relay";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      manifest = lib.importTOML ./Cargo.toml;
      lock = lib.importTOML ./Cargo.lock;
      programs = [
        "p2pchat"
        "p2pchat-bridge"
        "p2pchat-registry"
      ];

      # The page and the tool that makes it have to be of the same version.
      bindgen = (lib.findFirst (crate: crate.name == "wasm-bindgen") null lock.package).version;
      bindgenOf =
        pkgs:
        pkgs.${"wasm-bindgen-cli_" + lib.replaceStrings [ "." ] [ "_" ] bindgen}
          or (throw "this nixpkgs has no wasm-bindgen-cli ${bindgen}; a newer one has: nix flake update");

      package =
        pkgs:
        pkgs.rustPlatform.buildRustPackage {
          pname = "p2pchat";
          inherit (manifest.workspace.package) version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          nativeBuildInputs = [
            pkgs.binaryen
            pkgs.esbuild
            pkgs.installShellFiles
            pkgs.lld
            pkgs.trunk
            (bindgenOf pkgs)
          ];
          # First the page: the bridge has it inside.
          preBuild = ''
            export HOME=$TMPDIR
            cargo xtask web
          '';
          cargoBuildFlags = map (name: "--package=${name}") programs;
          # They need a network, a database and a browser: `.ci/run` has them.
          doCheck = false;
          postInstall = lib.concatMapStrings (name: ''
            installShellCompletion --cmd ${name} \
              --bash <($out/bin/${name} completions bash) \
              --fish <($out/bin/${name} completions fish) \
              --zsh <($out/bin/${name} completions zsh)
          '') programs;
          meta = {
            description = "Encrypted chat between computers on one network, without a relay";
            license = lib.licenses.mit;
            mainProgram = "p2pchat";
            platforms = systems;
          };
        };
      each = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = each (pkgs: {
        default = package pkgs;
      });
      # nix run .#p2pchat-registry
      apps = lib.genAttrs systems (
        system:
        lib.genAttrs programs (name: {
          type = "app";
          program = "${self.packages.${system}.default}/bin/${name}";
        })
      );
    };
}
