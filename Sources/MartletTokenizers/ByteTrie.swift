/// A set of byte strings with values, for longest-match search; a double-array trie (Aoe, 1989).
///
/// One step of a search is one load: from a node with base b, byte c leads to slot b + c, which is a child if
/// its `parent` is the node.
struct ByteTrie: Sendable {
  private struct Slot {
    var base: Int32 = 0
    var parent: Int32 = -1
    var value: Int32 = -1
  }

  private var slots: [Slot] = []

  /// O(total length), in practice linear. Later entries win over earlier equal ones.
  init(_ entries: [(key: ArraySlice<UInt8>, value: Int)]) {
    // A plain trie first: children as linked siblings, the first level as a table.
    var first: [Int32] = [-1], next: [Int32] = [-1], byte: [UInt8] = [0], value: [Int32] = [-1]
    var top = [Int32](repeating: -1, count: 65_536)  // nodes of two-byte prefixes
    func child(of node: Int, _ c: UInt8) -> Int {
      var at = first[node]
      while at >= 0 {
        if byte[Int(at)] == c { return Int(at) }
        at = next[Int(at)]
      }
      first.append(-1)
      next.append(first[node])
      byte.append(c)
      value.append(-1)
      first[node] = Int32(first.count - 1)
      return first.count - 1
    }
    for entry in entries where !entry.key.isEmpty {
      var rest = entry.key
      var node = 0
      if rest.count >= 2 {
        let pair = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
        if top[pair] < 0 { top[pair] = Int32(child(of: child(of: 0, UInt8(pair >> 8)), UInt8(pair & 255))) }
        node = Int(top[pair])
      }
      for c in rest { node = child(of: node, c) }
      value[node] = Int32(entry.value)
    }
    // Then slots, level by level, each node's children at the first base where all of them are free.
    slots = [Slot](repeating: Slot(), count: max(1024, first.count * 2 + 512))
    slots[0].value = value[0]
    slots[0].parent = -2
    var queue: [(node: Int, slot: Int)] = [(0, 0)]
    var head = 0, firstFree = 1
    var children: [(byte: Int, node: Int)] = []
    while head < queue.count {
      let (node, slot) = queue[head]
      head += 1
      children.removeAll(keepingCapacity: true)
      var at = first[node]
      while at >= 0 {
        children.append((Int(byte[Int(at)]), Int(at)))
        at = next[Int(at)]
      }
      guard !children.isEmpty else { continue }
      children.sort { $0.byte < $1.byte }
      while slots[firstFree].parent != -1 { firstFree += 1 }
      var place = max(firstFree, children[0].byte + 1), tried = 0
      search: while true {
        let base = place - children[0].byte
        if base + 256 >= slots.count { slots += [Slot](repeating: Slot(), count: slots.count / 2) }
        var free = true
        for child in children where slots[base + child.byte].parent != -1 {
          free = false
          break
        }
        if free {
          slots[slot].base = Int32(base)
          for child in children {
            slots[base + child.byte].parent = Int32(slot)
            slots[base + child.byte].value = value[child.node]
            queue.append((child.node, base + child.byte))
          }
          break search
        }
        place += 1
        tried += 1
        if tried > 64 { firstFree = max(firstFree, place - 4096) }  // give up on crowded slots far behind
        while slots[place].parent != -1 {
          place += 1
          if place + 256 >= slots.count { slots += [Slot](repeating: Slot(), count: slots.count / 2) }
        }
      }
    }
    slots += [Slot](repeating: Slot(), count: 256)  // b + c never leaves the array
  }

  /// Calls `found` with the value of the longest entry at each place of `text`, from left to right, as long as
  /// one starts there; `found` is not called further where none does, and the number of bytes read is returned.
  @inline(__always)
  func segment(_ text: UnsafeBufferPointer<UInt8>, _ found: (Int32) -> Void) -> Int {
    slots.withUnsafeBufferPointer { slots in
      var start = 0
      while start < text.count {
        var node: Int32 = 0, at = start, end = start
        var value: Int32 = -1
        while at < text.count {
          let slot = slots[Int(slots[Int(node)].base) + Int(text[at])]
          if slot.parent != node { break }
          node = slots[Int(node)].base + Int32(text[at])
          at += 1
          if slot.value >= 0 {
            value = slot.value
            end = at
          }
        }
        if value < 0 { break }
        found(value)
        start = end
      }
      return start
    }
  }
}
