# The formula for Homebrew, of the released programs. `cargo xtask package --recipes` fills in the
# version, the address and the checksums; the result goes into `Formula/` of a tap.
class P2pchat < Formula
  desc "Encrypted chat between computers on one network, without a relay"
  homepage "REPOSITORY"
  version "VERSION"
  license "MIT"

  on_macos do
    on_arm do
      url "REPOSITORY/releases/download/vVERSION/p2pchat-VERSION-aarch64-macos.tar.gz"
      sha256 "SHA256_aarch64_macos"
    end
  end

  on_linux do
    on_intel do
      url "REPOSITORY/releases/download/vVERSION/p2pchat-VERSION-x86_64-linux.tar.gz"
      sha256 "SHA256_x86_64_linux"
    end
    on_arm do
      url "REPOSITORY/releases/download/vVERSION/p2pchat-VERSION-aarch64-linux.tar.gz"
      sha256 "SHA256_aarch64_linux"
    end
  end

  def install
    bin.install "p2pchat", "p2pchat-bridge", "p2pchat-registry"
    man.install Dir["man/*"]
    bash_completion.install Dir["completions/bash/*"]
    fish_completion.install Dir["completions/fish/*"]
    zsh_completion.install Dir["completions/zsh/*"]
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/p2pchat --version")
  end
end
