/// Traps with a message where the caller has made a mistake, such as a shape that doesn't fit.
///
/// Unlike `precondition` it prints the message in optimised builds too.
@inline(__always)
package func require(_ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
  if !condition() { fatalError(message()) }
}
