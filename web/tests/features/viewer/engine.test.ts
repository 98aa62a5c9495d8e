import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Choices, Engine } from '@/features/viewer/player/engine';
import { FakeHls } from '../../fakes/hls';

vi.mock('hls.js', async () => {
  const { FakeHls } = await import('../../fakes/hls');
  return {
    default: FakeHls,
    ErrorTypes: { NETWORK_ERROR: 'network', MEDIA_ERROR: 'media' },
    Events: new Proxy({}, { get: (_, name) => name }),
  };
});

const levels = [
  { width: 640, height: 360 },
  { width: 1920, height: 1080 },
];

function setUp(renewed: (string | null)[] = []) {
  const media = document.createElement('video');
  media.play = () => Promise.resolve();
  media.load = () => {};
  const seen = { choices: [] as Choices[], faults: 0, changes: 0 };
  const engine = new Engine(media, {
    onChoices: (choices) => seen.choices.push(choices),
    onChange: () => {
      seen.changes += 1;
    },
    onLoading: () => {},
    onFault: () => {
      seen.faults += 1;
    },
    renew: async () => renewed.shift() ?? null,
  });
  return { engine, media, seen };
}

const refused = { type: 'network', fatal: false, response: { code: 403 } };

describe('the engine of the player', () => {
  beforeEach(() => {
    FakeHls.created = [];
  });

  it('starts at the given position, also in a growing playlist', () => {
    const { engine } = setUp();
    engine.load('/a.m3u8', 0, false);
    expect(FakeHls.latest).toMatchObject({ url: '/a.m3u8', config: { startPosition: 0 } });
  });

  it('reports the available heights, largest first, and the current one', () => {
    const { engine, seen } = setUp();
    engine.load('/a.m3u8', 0, false);
    FakeHls.latest.levels = levels;
    FakeHls.latest.currentLevel = 1;
    FakeHls.latest.emit('MANIFEST_PARSED');
    expect(seen.choices.at(-1)).toMatchObject({ heights: [1080, 360], height: null, playing: 1080 });
  });

  it('keeps the chosen quality and audio track when the source is replaced', () => {
    const { engine, seen } = setUp();
    const tracks = [
      { id: 0, name: 'English', lang: 'en' },
      { id: 1, name: 'Tiếng Việt', lang: 'vi' },
    ];
    engine.load('/a.m3u8', 0, false);
    FakeHls.latest.levels = levels;
    FakeHls.latest.audioTracks = tracks;
    engine.chooseHeight(360);
    engine.chooseSound(1);
    engine.load('/b.m3u8', 30, false);
    expect(FakeHls.created.map(({ destroyed }) => destroyed)).toEqual([true, false]);
    FakeHls.latest.levels = levels;
    FakeHls.latest.audioTracks = [...tracks].reverse().map((track, id) => ({ ...track, id }));
    FakeHls.latest.emit('MANIFEST_PARSED');
    FakeHls.latest.emit('AUDIO_TRACKS_UPDATED');
    expect(FakeHls.latest).toMatchObject({ loadLevel: 0, audioTrack: 0, config: { startPosition: 30 } });
    expect(seen.changes).toBe(2);
  });

  it('renews an expired URL and continues at the same position', async () => {
    const { engine, media, seen } = setUp(['/fresh.m3u8']);
    engine.load('/old.m3u8', 0, false);
    media.currentTime = 42;
    FakeHls.latest.emit('ERROR', refused);
    FakeHls.latest.emit('ERROR', refused);
    await vi.waitFor(() => expect(FakeHls.latest.url).toBe('/fresh.m3u8'));
    expect(FakeHls.latest.config.startPosition).toBe(42);
    expect([FakeHls.created.length, seen.faults]).toEqual([2, 0]);
  });

  it('fails when fresh URLs are refused repeatedly', async () => {
    const { engine, seen } = setUp(['/1', '/2', '/3', '/4', '/5']);
    engine.load('/0', 0, false);
    for (const url of ['/1', '/2', '/3']) {
      FakeHls.latest.emit('ERROR', refused);
      await vi.waitFor(() => expect(FakeHls.latest.url).toBe(url));
    }
    FakeHls.latest.emit('ERROR', refused);
    await vi.waitFor(() => expect(seen.faults).toBe(1));
  });

  it('fails when there is no fresh URL', async () => {
    const { engine, seen } = setUp();
    engine.load('/0', 0, false);
    FakeHls.latest.emit('ERROR', refused);
    await vi.waitFor(() => expect(seen.faults).toBe(1));
  });

  it('ignores errors that hls.js recovers from', () => {
    const { engine, seen } = setUp();
    engine.load('/0', 0, false);
    FakeHls.latest.emit('ERROR', { type: 'media', fatal: false });
    expect([FakeHls.created.length, seen.faults]).toEqual([1, 0]);
  });
});
