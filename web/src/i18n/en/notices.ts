/** The notifications, by their type. */
export default {
  'file.ready': '“{{name}}” is ready',
  'file.failed': '“{{name}}” did not become ready',
  'file.damaged': 'The stored bytes of “{{name}}” were lost or changed. It cannot be downloaded.',
  'file.recovered': '“{{name}}” is intact again and can be downloaded',
  'share.accessed': 'Your link to “{{name}}” was opened. Times so far: {{accessCount}}',
  'share.guessed': 'Somebody guesses the password of your link to “{{name}}”. It stops them for now.',
};
