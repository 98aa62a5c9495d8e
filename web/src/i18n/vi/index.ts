import account from './account';
import admin from './admin';
import auth from './auth';
import common from './common';
import files from './files';
import notifications from './notifications';
import uploads from './uploads';

/** All texts of this language. */
export const texts = { common, auth, files, uploads, notifications, account, admin };
