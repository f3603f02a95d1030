/// Puts tensors side by side along the last dimension: `[…, M]` and `[…, N]` → `[…, M + N]`.
///
/// - Precondition: all other dimensions are equal.
public func concatenated(_ parts: Tensor...) -> Tensor { concatenated(parts) }

/// As above, for a list of tensors, at least one.
public func concatenated(_ parts: [Tensor]) -> Tensor {
  require(!parts.isEmpty, "nothing to concatenate")
  let rows = parts[0].shape.asMatrix.rows
  let widths = parts.map { $0.shape[-1] }
  for part in parts {
    require(
      part.shape.dimensions.dropLast() == parts[0].shape.dimensions.dropLast(),
      "concatenated needs equal shapes but for the last dimension, not \(parts[0].shape) and "
        + "\(part.shape)")
  }
  let total = widths.reduce(0, +)
  let joined = Tensor(parts[0].shape.replacingLast(with: total)) { out in
    var column = 0
    for (part, width) in zip(parts, widths) {
      borrowing(part) {
        for row in 0..<rows {
          (out + row * total + column).update(from: part.base + row * width, count: width)
        }
      }
      column += width
    }
  }
  return Tensor.record([joined], from: parts) { gradients, sink in
    guard let gradient = gradients[0] else { return }
    var column = 0
    for (index, width) in widths.enumerated() {
      if sink.wants(index) {
        sink.add(gradient.columns(column..<column + width), toInput: index)
      }
      column += width
    }
  }[0]
}

/// Puts tensors of equal shape one after the other along a new first dimension: `n` of `S` →
/// `[n] + S`. Steps of a sequence become the sequence.
public func stacked(_ parts: [Tensor]) -> Tensor {
  require(!parts.isEmpty, "nothing to stack")
  let shape = parts[0].shape
  return joined(parts.map { $0.reshaped(shape.prepending(1)) })
}

/// Puts tensors one after the other along the first dimension: `[M, …]` and `[N, …]` → `[M + N, …]`.
public func joined(_ parts: [Tensor]) -> Tensor {
  require(!parts.isEmpty, "nothing to join")
  if parts.count == 1 { return parts[0] }
  let rest = parts[0].shape.dropFirst
  for part in parts {
    require(
      part.shape.rank > 0 && part.shape.dropFirst == rest,
      "joined needs equal shapes but for the first dimension, not \(parts[0].shape) and "
        + "\(part.shape)")
  }
  let whole = Tensor(rest.prepending(parts.reduce(0) { $0 + $1.shape[0] })) { out in
    var at = 0
    for part in parts {
      borrowing(part) { (out + at).update(from: part.base, count: part.count) }
      at += part.count
    }
  }
  return Tensor.record([whole], from: parts) { gradients, sink in
    guard let gradient = gradients[0] else { return }
    var start = 0
    for (index, part) in parts.enumerated() {
      sink.add(gradient[start..<start + part.shape[0]], toInput: index)
      start += part.shape[0]
    }
  }[0]
}

extension Tensor {
  /// Element `index` along the first dimension, for a sequence one time step: `[N, …]` → `[…]`.
  /// Shares the memory.
  public subscript(index: Int) -> Tensor {
    require(
      shape.rank > 0 && 0..<shape[0] ~= index, "shape \(shape) has no element \(index)")
    return part(at: index * shape.dropFirst.count, shape: shape.dropFirst)
  }

  /// Elements `range` along the first dimension: `[N, …]` → `[range.count, …]`. Shares the memory.
  public subscript(range: Range<Int>) -> Tensor {
    require(
      shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
      "shape \(shape) has no elements \(range)")
    let rest = shape.dropFirst
    return part(at: range.lowerBound * rest.count, shape: rest.prepending(range.count))
  }

  private func part(at start: Int, shape: Shape) -> Tensor {
    Tensor(storage: storage, offset: offset + start, shape: shape)
      .recorded(from: self) { gradient, sink in sink.add(gradient, toInput: 0, at: start) }
  }

  /// The same elements in another shape of the same count. Shares the memory.
  public func reshaped(_ shape: Shape) -> Tensor {
    let old = self.shape
    return reshapedValues(shape).recorded(from: self) { gradient, sink in
      sink.add(gradient.reshapedValues(old), toInput: 0)
    }
  }

  /// As `reshaped`, without a record.
  package func reshapedValues(_ shape: Shape) -> Tensor {
    require(shape.count == count, "shape \(self.shape) can't be reshaped to \(shape)")
    return Tensor(storage: storage, offset: offset, shape: shape)
  }

  /// Cuts the last dimension into equal parts, as gates are cut: `[…, n·N]` → n of `[…, N]`.
  public func split(into count: Int) -> [Tensor] {
    require(
      shape.rank > 0 && count > 0 && shape[-1].isMultiple(of: count),
      "the last dimension of \(shape) can't be split into \(count) equal parts")
    let width = shape[-1] / count
    return split(widths: Array(repeating: width, count: count))
  }

  /// Cuts the last dimension into parts of the given widths.
  public func split(widths: [Int]) -> [Tensor] {
    require(
      shape.rank > 0 && widths.reduce(0, +) == shape[-1],
      "the last dimension of \(shape) can't be split into \(widths)")
    var parts: [Tensor] = []
    var column = 0
    for width in widths {
      parts.append(columns(column..<column + width))
      column += width
    }
    let shapes = parts.map(\.shape)
    return Tensor.record(parts, from: [self]) { gradients, sink in
      let whole = zip(gradients, shapes).map { $0 ?? Tensor(zeros: $1) }
      sink.add(concatenated(whole), toInput: 0)
    }
  }

  /// Some columns of the last dimension, without a record.
  package func columns(_ range: Range<Int>) -> Tensor {
    let (rows, width) = shape.asMatrix
    return Tensor(shape.replacingLast(with: range.count)) { out in
      borrowing(self) {
        for row in 0..<rows {
          (out + row * range.count)
            .update(from: base + row * width + range.lowerBound, count: range.count)
        }
      }
    }
  }

  /// The rows with the given numbers: `[N, …]` → `[rows.count, …]`. An embedding is this.
  ///
  /// - Parameter leading: the first dimensions of the result, `[rows.count]` if not given; an
  ///   embedding of a sequence of batches has `[T, B]`.
  /// - Precondition: every number is in `0..<N`.
  public func gathering(_ rows: [Int32], leading: Shape? = nil) -> Tensor {
    require(shape.rank > 0, "a scalar has no rows to gather")
    let leading = leading ?? [rows.count]
    require(leading.count == rows.count, "\(rows.count) rows don't fill shape \(leading)")
    let rest = shape.dropFirst
    let (limit, width) = (shape[0], rest.count)
    for row in rows {
      require(row >= 0 && row < limit, "there is no row \(row) in shape \(shape)")
    }
    var gathered = Profile.measure(.embedding) {
      Tensor(Shape(leading.dimensions + rest.dimensions)) { out in
        borrowing(self) {
          for (index, row) in rows.enumerated() {
            (out + index * width).update(from: base + Int(row) * width, count: width)
          }
        }
      }
    }
    let table = shape
    let records = Recording.isOn && needsGradient
    let node = Node(
      inputs: [records ? source : nil], shapes: [gathered.shape], needsGradient: records,
      lookup: Lookup(table: self, rows: rows)
    ) { gradients, sink in
      guard let gradient = gradients[0] else { return }
      let scattered = Profile.measure(.embedding) { gradient.scattered(to: rows, of: table) }
      sink.add(scattered, toInput: 0)
    }
    gathered.source = Source(node: node, output: 0)
    return gathered
  }

  /// A tensor of zeros to whose row `rows[i]` row i of this one has been added, for every i.
  package func scattered(to rows: [Int32], of shape: Shape) -> Tensor {
    let width = shape.dropFirst.count
    return Tensor(shape) { out in
      forChunks(of: shape.count) {
        (out + $0.lowerBound).update(repeating: 0, count: $0.count)
      }
      // Divided by columns, so that one thread adds up a row, in order.
      let chunk = 128
      borrowing(self) {
        Compute.forEach((width + chunk - 1) / chunk, cost: rows.count * chunk) { index in
          let from = index * chunk
          let n = min(chunk, width - from)
          for (index, row) in rows.enumerated() {
            let to = out + Int(row) * width + from
            Compute.kernels.add(n, base + index * width + from, to, to)
          }
        }
      }
    }
  }

  /// Row by row (of the first dimension) from this tensor where the mask is true, else from
  /// `other`: how sequences that have ended keep their state.
  public func selecting(_ mask: [Bool], else other: Tensor) -> Tensor {
    require(
      shape == other.shape && shape.rank > 0 && mask.count == shape[0],
      "a selection by \(mask.count) rows needs equal shapes, not \(shape) and \(other.shape)")
    let width = shape.dropFirst.count
    let chosen: @Sendable (Tensor?, Tensor?) -> Tensor = { [shape] yes, no in
      Tensor(shape) { out in
        borrowing(yes, no) {
          for (row, flag) in mask.enumerated() {
            if let from = flag ? yes : no {
              (out + row * width).update(from: from.base + row * width, count: width)
            } else {
              (out + row * width).update(repeating: 0, count: width)
            }
          }
        }
      }
    }
    return chosen(self, other).recorded(from: self, other) { gradient, sink in
      if sink.wants(0) { sink.add(chosen(gradient, nil), toInput: 0) }
      if sink.wants(1) { sink.add(chosen(nil, gradient), toInput: 1) }
    }
  }
}
