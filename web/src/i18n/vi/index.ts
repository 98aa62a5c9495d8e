import account from './account';
import admin from './admin';
import auth from './auth';
import common from './common';
import files from './files';
import notices from './notices';
import notifications from './notifications';
import problems from './problems';
import reasons from './reasons';
import sharing from './sharing';
import uploads from './uploads';

/** All texts of this language. */
export const texts = {
  common,
  auth,
  files,
  uploads,
  sharing,
  notifications,
  account,
  admin,
  problem: problems,
  reason: reasons,
  notice: notices,
};
