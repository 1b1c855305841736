/* folder.h - folders that hunch made for itself. */
#ifndef HN_FOLDER_H
#define HN_FOLDER_H

/* Removes a folder with all that is in it, following no link; what cannot be removed stays. [any]
 */
void hn_folder_remove(const char *path);
#endif
