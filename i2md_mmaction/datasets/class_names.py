"""Names of the classes, in the order of the labels, for pictures and reports."""

from typing import Dict, List, Optional, Sequence

#: Northwestern-UCLA: actions 1 to 6, 8, 9, 11 and 12 of the recording.
NW_UCLA = (
    'pick up with one hand,pick up with two hands,drop trash,walk around,sit down,stand up,donning,'
    'doffing,throw,carry'
).split(',')

#: NTU RGB+D 120; the first 60 are those of NTU RGB+D. Wording shortened.
NTU = (
    'drink water,eat meal,brush teeth,brush hair,drop,pick up,throw,sit down,stand up,clapping,reading,'
    'writing,tear up paper,put on jacket,take off jacket,put on a shoe,take off a shoe,put on glasses,'
    'take off glasses,put on a hat,take off a hat,cheer up,hand waving,kicking something,'
    'reach into pocket,hopping,jump up,phone call,play with phone,type on a keyboard,'
    'point to something,taking a selfie,check time,rub two hands,nod head,shake head,wipe face,salute,'
    'put palms together,cross hands in front,sneeze or cough,staggering,falling down,headache,'
    'chest pain,back pain,neck pain,nausea,fan self,punch or slap,kicking,pushing,pat on back,'
    'point finger,hugging,giving object,touch pocket,shaking hands,walking towards,walking apart,'
    'put on headphone,take off headphone,shoot at basket,bounce ball,tennis bat swing,'
    'juggle table tennis ball,hush,flick hair,thumb up,thumb down,make OK sign,make victory sign,'
    'staple book,counting money,cutting nails,cutting paper,snap fingers,open bottle,sniff or smell,'
    'squat down,toss a coin,fold paper,ball up paper,play magic cube,apply cream on face,'
    'apply cream on hand,put on bag,take off bag,put object into bag,take object out of bag,open a box,'
    'move heavy objects,shake fist,throw up cap,capitulate,cross arms,arm circles,arm swings,'
    'run on the spot,butt kicks,cross toe touch,side kick,yawn,stretch oneself,blow nose,hit with object,'
    'wield knife,knock over,grab stuff,shoot with gun,step on foot,high-five,cheers and drink,'
    'carry object,take a photo,follow,whisper,exchange things,support somebody,rock-paper-scissors'
).split(',')


def class_names(content: Dict, layout: str, num_classes: Optional[int]) -> Optional[List[str]]:
    """Names of a data set's classes.

    Args:
        content: Annotations as :func:`.annotations.load_annotations` gives
            them; their own ``class_names`` come first.
        layout: Name of the skeleton layout.
        num_classes: Number of classes.

    Returns:
        The names, or None for a data set that names none and is not known
        by layout and number of classes.

    Example:
        >>> class_names({}, 'ntu25', 60)[42]
        'falling down'
    """
    if 'class_names' in content:
        return list(content['class_names'])
    known = {('kinect20', 10): NW_UCLA, ('ntu25', 60): NTU[:60], ('ntu25', 120): NTU}
    return known.get((layout, num_classes))


def class_label(label: int, names: Optional[Sequence[str]] = None) -> str:
    """What pictures call a label.

    Args:
        label: The label, -1 for none.
        names: Names by label, as :func:`class_names` gives them.

    Example:
        >>> [class_label(label, ['sit', 'stand']) for label in (-1, 1, 2)]
        ['no label', 'stand', 'class 2']
    """
    if label == -1:
        return 'no label'
    return str(names[label]) if names and label < len(names) else f'class {label}'
