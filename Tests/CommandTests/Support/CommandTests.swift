import Testing

/// Tests that run the real executable, one after the other: each has the processors to itself.
@Suite(.serialized) struct CommandTests {}
