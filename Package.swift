// swift-tools-version: 6.1
import PackageDescription

// Each target may import only those above it: data flows one way (see README, "Where things live").
let package = Package(
  name: "Unfold",
  platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
  products: [
    .library(name: "Unfold", targets: ["Unfold"]),
    .executable(name: "unfold", targets: ["UnfoldCommand"]),
  ],
  dependencies: [
    // Parses the command line, writes help texts and shell completions.
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2")
  ],
  targets: [
    .target(name: "CKernels", exclude: ["README.md"]),
    .target(name: "Tensors", dependencies: ["CKernels"]),
    .target(name: "Interchange", dependencies: ["Tensors"]),
    .target(name: "Recurrence", dependencies: ["Interchange"]),
    .target(name: "Learning", dependencies: ["Recurrence"]),
    .target(name: "Language", dependencies: ["Learning"]),
    .target(name: "Plots"),
    .target(name: "Inspection", dependencies: ["Language", "Plots"]),
    .target(name: "Unfold", dependencies: ["Inspection"]),
    .executableTarget(
      name: "UnfoldCommand",
      dependencies: [
        "Unfold", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "Examples", dependencies: ["Unfold"], path: "Examples"),

    // Counts allocations in tests.
    .target(
      name: "AllocationCounter", path: "Tests/Support/AllocationCounter", exclude: ["README.md"]),

    // Keeps pictures that tests compare with.
    .target(name: "Snapshots", path: "Tests/Support/Snapshots"),

    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "CKernels"]),
    .testTarget(name: "InterchangeTests", dependencies: ["Interchange"]),
    .testTarget(
      name: "RecurrenceTests", dependencies: ["Recurrence"], resources: [.copy("Fixtures")]),
    .testTarget(name: "LearningTests", dependencies: ["Learning"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "LanguageTests", dependencies: ["Language", "AllocationCounter"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "PlotsTests", dependencies: ["Plots", "Snapshots"], exclude: ["Snapshots"]),
    .testTarget(
      name: "InspectionTests", dependencies: ["Inspection", "Snapshots"], exclude: ["Snapshots"],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "ExamplesTests", dependencies: ["Examples"], resources: [.copy("Fixtures")]),
    .testTarget(name: "CommandTests", dependencies: ["Unfold", "UnfoldCommand"]),
  ],
  swiftLanguageModes: [.v6]
)
