// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "compare-with-pytorch",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Unfold", path: "../..")],
  targets: [
    .executableTarget(name: "Logits", dependencies: [.product(name: "Unfold", package: "Unfold")])
  ],
  swiftLanguageModes: [.v6]
)
