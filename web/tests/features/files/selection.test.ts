import { describe, expect, it } from 'vitest';
import { all, clear, click, nothing, prune, step, toggle } from '@/features/files/model/selection';

const order = ['a', 'b', 'c', 'd', 'e'];
const chosen = (state: { chosen: ReadonlySet<string> }) => [...state.chosen].sort().join('');

describe('a click', () => {
  it('selects one item alone', () => {
    expect(chosen(click(click(nothing, order, 'a'), order, 'c'))).toBe('c');
  });

  it('with Ctrl toggles an item', () => {
    const two = click(click(nothing, order, 'a'), order, 'c', { add: true });
    expect(chosen(two)).toBe('ac');
    expect(chosen(click(two, order, 'a', { add: true }))).toBe('c');
  });

  it('with Shift selects from the anchor, in either direction', () => {
    const from = click(nothing, order, 'd');
    expect(chosen(click(from, order, 'b', { range: true }))).toBe('bcd');
    expect(chosen(click(click(from, order, 'b', { range: true }), order, 'e', { range: true }))).toBe('de');
  });

  it('with Shift and Ctrl adds the range to the selection', () => {
    const state = click(click(nothing, order, 'a'), order, 'c', { add: true });
    expect(chosen(click(state, order, 'e', { range: true, add: true }))).toBe('acde');
  });
});

describe('the keyboard', () => {
  it('starts at the first item, or at the last when moving up', () => {
    expect(step(nothing, order, 1).cursor).toBe('a');
    expect(step(nothing, order, -1).cursor).toBe('e');
  });

  it('moves the selection and stops at the ends', () => {
    expect(chosen(step(click(nothing, order, 'b'), order, 1))).toBe('c');
    expect(chosen(step(click(nothing, order, 'e'), order, 1))).toBe('e');
    expect(chosen(step(click(nothing, order, 'c'), order, -100))).toBe('a');
  });

  it('with Shift extends the selection', () => {
    expect(
      chosen(step(step(click(nothing, order, 'b'), order, 1, { range: true }), order, 1, { range: true })),
    ).toBe('bcd');
  });

  it('with Ctrl moves without selecting, and Space selects', () => {
    const moved = step(click(nothing, order, 'a'), order, 2, { add: true });
    expect([chosen(moved), moved.cursor]).toEqual(['a', 'c']);
    expect(chosen(toggle(moved, 'c'))).toBe('ac');
  });

  it('selects everything, and clears the selection without moving the cursor', () => {
    const everything = all(click(nothing, order, 'c'), order);
    expect(chosen(everything)).toBe('abcde');
    expect(clear(everything)).toMatchObject({ cursor: 'c', chosen: new Set() });
  });

  it('does nothing in an empty list', () => {
    expect(step(nothing, [], 1)).toBe(nothing);
  });
});

describe('a list that changes', () => {
  it('deselects removed items, and moves the cursor to the next one', () => {
    const state = prune(click(nothing, order, 'c'), ['a', 'b', 'd', 'e'], order);
    expect([chosen(state), state.cursor]).toEqual(['', 'd']);
  });

  it('leaves the selection alone otherwise', () => {
    const state = click(nothing, order, 'a');
    expect(prune(state, [...order, 'f'], order)).toBe(state);
  });
});
