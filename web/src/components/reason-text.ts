/** Why a file did not become ready, in the reader's words: the server knows sentences, and no codes for them. */
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

const SENTENCES = {
  'It did not arrive completely in time.': 'tooLate',
  'The storage could not keep it; please upload it again.': 'notKept',
  'It could not be looked into.': 'notExamined',
  'No small picture could be made of it.': 'noPreview',
  'It could not be made ready.': 'notFinished',
  'Something went wrong.': 'somethingWrong',
  'The file was deleted.': 'deleted',
  'The film is damaged or of a kind that cannot be read.': 'filmUnreadable',
  'There is no picture in the film.': 'filmWithoutPicture',
  "The film's pictures are too large.": 'filmTooLarge',
  'The picture is damaged or of a kind that cannot be read.': 'pictureUnreadable',
  'It could not be made ready for playing.': 'notPlayable',
  'There is no sound in it.': 'noSound',
  'There is no such sound in the film, or it is of a kind that cannot be read.': 'filmSoundUnreadable',
  'The picture cannot be copied as it is.': 'pictureNotCopyable',
  'The picture is too large.': 'pictureTooBig',
  'The document is damaged or of a kind that cannot be read.': 'documentUnreadable',
  'The document is locked with a password.': 'documentLocked',
  'The document could not be drawn.': 'documentNotDrawn',
  'The document is too large to be drawn.': 'documentTooLarge',
  'The drawing is damaged or cannot be drawn.': 'drawingUnreadable',
  'The drawing is too large or too complicated.': 'drawingTooLarge',
} as const;
const TOO_MANY_PIXELS = /^The picture has more than (\d+) megapixels\.$/;

/** Gives a function from the server's reason to ours; a sentence that we do not know stays as it is. */
export function useReasonText(): (reason: string) => string {
  const { t } = useTranslation();
  return useCallback(
    (reason) => {
      const known = SENTENCES[reason as keyof typeof SENTENCES];
      if (known) return t(`common.reason.${known}`);
      const megapixels = TOO_MANY_PIXELS.exec(reason)?.[1];
      return megapixels ? t('common.reason.pictureTooLarge', { megapixels }) : reason;
    },
    [t],
  );
}
