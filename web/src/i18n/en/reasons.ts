import type { ReasonCode } from '@/api/types';

/** Why a file did not become ready, by the reason codes of the server. */
export default {
  'not-arrived-in-time': 'The upload was not completed in time.',
  'not-stored': 'The file could not be stored. Please upload it again.',
  'file-deleted': 'The file was deleted.',
  'bytes-damaged': 'The stored bytes of the file were lost or changed.',
  'probe-failed': 'It could not be examined.',
  'thumbnail-failed': 'No preview could be made of it.',
  'transcode-failed': 'It could not be prepared for playback.',
  'processing-failed': 'It could not be processed.',
  'film-unreadable': 'The video is damaged, or its format is not supported.',
  'film-without-picture': 'The video has no picture.',
  'film-frame-too-large': 'The video’s picture is too large.',
  'film-not-copyable': 'The video’s picture could not be copied.',
  'audio-track-unreadable': 'An audio track of the video cannot be read.',
  'no-audio': 'It has no audio.',
  'picture-unreadable': 'The picture is damaged, or its format is not supported.',
  'picture-too-large': 'The picture is too large.',
  'picture-too-many-pixels': 'The picture has too many pixels.',
  'document-unreadable': 'The document is damaged, or its format is not supported.',
  'document-locked': 'The document is protected by a password.',
  'document-not-rendered': 'No preview could be made of the document.',
  'document-too-large': 'The document is too large for a preview.',
  'drawing-unreadable': 'The drawing is damaged, or cannot be shown.',
  'drawing-too-large': 'The drawing is too large or too complex.',
} satisfies Record<ReasonCode, string>;
