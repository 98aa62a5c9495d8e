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

describe('what feeds the player', () => {
  beforeEach(() => {
    FakeHls.made = [];
  });

  it('begins where it is told to, be it at the start of a film that is still growing', () => {
    const { engine } = setUp();
    engine.load('/a.m3u8', 0, false);
    expect(FakeHls.latest).toMatchObject({ url: '/a.m3u8', config: { startPosition: 0 } });
  });

  it('offers the heights that there are, largest first, and says which one plays', () => {
    const { engine, seen } = setUp();
    engine.load('/a.m3u8', 0, false);
    FakeHls.latest.levels = levels;
    FakeHls.latest.currentLevel = 1;
    FakeHls.latest.happen('MANIFEST_PARSED');
    expect(seen.choices.at(-1)).toMatchObject({ heights: [1080, 360], height: null, playing: 1080 });
  });

  it('keeps the chosen quality and sound when it takes a new source in', () => {
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
    expect(FakeHls.made.map(({ destroyed }) => destroyed)).toEqual([true, false]);
    FakeHls.latest.levels = levels;
    FakeHls.latest.audioTracks = [...tracks].reverse().map((track, id) => ({ ...track, id }));
    FakeHls.latest.happen('MANIFEST_PARSED');
    FakeHls.latest.happen('AUDIO_TRACKS_UPDATED');
    expect(FakeHls.latest).toMatchObject({ loadLevel: 0, audioTrack: 0, config: { startPosition: 30 } });
    expect(seen.changes).toBe(2);
  });

  it('asks for another address when one has become too old, and goes on where it was', async () => {
    const { engine, media, seen } = setUp(['/fresh.m3u8']);
    engine.load('/old.m3u8', 0, false);
    media.currentTime = 42;
    FakeHls.latest.happen('ERROR', refused);
    FakeHls.latest.happen('ERROR', refused);
    await vi.waitFor(() => expect(FakeHls.latest.url).toBe('/fresh.m3u8'));
    expect(FakeHls.latest.config.startPosition).toBe(42);
    expect([FakeHls.made.length, seen.faults]).toEqual([2, 0]);
  });

  it('gives up when fresh addresses are refused again and again', async () => {
    const { engine, seen } = setUp(['/1', '/2', '/3', '/4', '/5']);
    engine.load('/0', 0, false);
    for (const url of ['/1', '/2', '/3']) {
      FakeHls.latest.happen('ERROR', refused);
      await vi.waitFor(() => expect(FakeHls.latest.url).toBe(url));
    }
    FakeHls.latest.happen('ERROR', refused);
    await vi.waitFor(() => expect(seen.faults).toBe(1));
  });

  it('gives up when there is no other address', async () => {
    const { engine, seen } = setUp();
    engine.load('/0', 0, false);
    FakeHls.latest.happen('ERROR', refused);
    await vi.waitFor(() => expect(seen.faults).toBe(1));
  });

  it('passes over what hls.js mends by itself', () => {
    const { engine, seen } = setUp();
    engine.load('/0', 0, false);
    FakeHls.latest.happen('ERROR', { type: 'media', fatal: false });
    expect([FakeHls.made.length, seen.faults]).toEqual([1, 0]);
  });
});
