(* Volhejn 2020, section 3.3: among the functions that interpolate data, the linear spline has the least total
   variation, and its derivative too (V7). *)

From Coq Require Import Reals Lra Lia List Sorted.
From ImplicitSmoothness Require Import Sums two_layer mean_value volhejn2020.variation.
Import ListNotations.
Open Scope R_scope.

(* Points (x_j, y_j) with x_1 < .. < x_n. *)
Fixpoint increasing_data (data : list (R * R)) : Prop :=
  match data with
  | p :: (q :: _) as rest => fst p < fst q /\ increasing_data rest
  | _ => True
  end.

Definition slope (p q : R * R) : R := (snd q - snd p) / (fst q - fst p).
Fixpoint slopes (data : list (R * R)) : list R :=
  match data with
  | p :: (q :: _) as rest => slope p q :: slopes rest
  | _ => []
  end.

Definition first (data : list (R * R)) : R := fst (hd (0, 0) data).
Definition final (data : list (R * R)) : R := fst (last data (0, 0)).

Definition interpolates (f : R -> R) (data : list (R * R)) : Prop := forall p, In p data -> f (fst p) = snd p.

(* f is the linear spline f_L on [x_1, x_n]. *)
Fixpoint linear_between (f : R -> R) (data : list (R * R)) : Prop :=
  match data with
  | p :: (q :: _) as rest =>
      (forall t, fst p <= t <= fst q -> f t = snd p + slope p q * (t - fst p)) /\ linear_between f rest
  | _ => True
  end.

Lemma final_cons p q rest : final (p :: q :: rest) = final (q :: rest).
Proof. reflexivity. Qed.

Lemma first_le_final data : increasing_data data -> first data <= final data.
Proof.
  induction data as [|p [|q rest] IH]; intros inc; [unfold first, final; simpl; lra..|].
  destruct inc as [pq inc]. specialize (IH inc). rewrite final_cons. unfold first in *. simpl in *. lra.
Qed.

Lemma data_inside data p : increasing_data data -> In p data -> first data <= fst p <= final data.
Proof.
  induction data as [|q [|r rest] IH]; intros inc Hp; [easy| |].
  - destruct Hp as [<-|[]]. unfold first, final. simpl. lra.
  - destruct inc as [qr inc]. rewrite final_cons. pose proof (first_le_final _ inc) as ends.
    unfold first in *. simpl hd in *. destruct Hp as [<-|Hp]; [lra|]. specialize (IH inc Hp). lra.
Qed.

Lemma data_sorted data : increasing_data data -> StronglySorted Rle (map fst data).
Proof.
  induction data as [|p [|q rest] IH]; intros inc; [sorted..|]. destruct inc as [pq inc].
  change (StronglySorted Rle (fst p :: map fst (q :: rest))).
  constructor; [now apply IH|]. rewrite Forall_forall. intros t Ht. apply in_map_iff in Ht.
  destruct Ht as [r [<- Hr]]. pose proof (data_inside _ _ inc Hr) as after. unfold first in after. simpl in after. lra.
Qed.

(* TV(f) *)

(* The partition of the data points. *)
Lemma interpolant_variation_at_least f data T :
  increasing_data data -> interpolates f data ->
  is_upper_bound (variations distance f (closed (first data) (final data))) T -> path distance (map snd data) <= T.
Proof.
  intros inc fits upper. apply upper. exists (map fst data). split.
  - split; [now apply data_sorted|]. intros t Ht. apply in_map_iff in Ht. destruct Ht as [p [<- Hp]].
    now apply data_inside.
  - rewrite map_map. f_equal. apply map_ext_in. intros p Hp. symmetry. now apply fits.
Qed.

Lemma distance_triangle u v w : distance u w <= distance u v + distance v w.
Proof. unfold distance. replace (w - u) with ((v - u) + (w - v)) by ring. apply Rabs_triang. Qed.

Lemma path_split values rest v :
  path distance (values ++ rest) <= path distance (values ++ [v]) + path distance (v :: rest).
Proof.
  induction values as [|u [|w values] IH].
  - simpl app. destruct rest as [|w rest]; [simpl; lra|]. rewrite path_cons2. pose proof (Rabs_pos (w - v)) as pos.
    fold (distance v w) in pos. simpl path at 2. lra.
  - simpl app. destruct rest as [|w rest];
      [simpl; pose proof (Rabs_pos (v - u)) as pos; fold (distance u v) in pos; lra|].
    rewrite !path_cons2. pose proof (distance_triangle u v w). simpl (path distance [v]). lra.
  - simpl app in *. rewrite !path_cons2. lra.
Qed.

(* A function that varies by at most V on [a, b] and W on [b, c] varies by at most V + W on [a, c]. *)
Lemma variation_concat f a b c V W :
  a <= b <= c ->
  is_upper_bound (variations distance f (closed a b)) V -> is_upper_bound (variations distance f (closed b c)) W ->
  is_upper_bound (variations distance f (closed a c)) (V + W).
Proof.
  intros order left right s [p [part ->]].
  assert (exists p1 p2, p = p1 ++ p2 /\ partition (closed a b) (p1 ++ [b]) /\ partition (closed b c) (b :: p2))
    as [p1 [p2 [-> [part1 part2]]]].
  { induction p as [|t p IH].
    - exists [], []. simpl. repeat split; [sorted| | |sorted| |]; destruct H as [<-|[]]; lra.
    - destruct part as [chain within]. pose proof (within t (or_introl eq_refl)) as Ht. unfold closed in Ht.
      destruct (Rle_dec t b) as [before|after].
      + destruct IH as [p1 [p2 [-> [[chain1 within1] part2]]]]; [now apply (partition_tail _ t)|].
        exists (t :: p1), p2. split; [easy|split; [|easy]]. split.
        * simpl. constructor; [easy|]. rewrite Forall_app. split; [|sorted; lra].
          apply StronglySorted_inv in chain. destruct chain as [_ above]. now apply Forall_app in above.
        * intros r [<-|Hr]; [unfold closed; lra|now apply within1].
      + exists [], (t :: p). split; [easy|split].
        * split; [sorted|]. intros r [<-|[]]. unfold closed. lra.
        * apply StronglySorted_inv in chain as both. destruct both as [_ above]. split.
          -- constructor; [easy|]. constructor; [lra|]. eapply Forall_impl; [|exact above]. simpl. intros; lra.
          -- intros r [<-|Hr]; [unfold closed; lra|]. specialize (within r Hr). unfold closed in *.
             destruct Hr as [<-|Hr]; [lra|]. rewrite Forall_forall in above. specialize (above r Hr). lra. }
  rewrite map_app. eapply Rle_trans; [apply (path_split _ _ (f b))|]. apply Rplus_le_compat.
  - apply left. exists (p1 ++ [b]). split; [easy|]. now rewrite map_app.
  - apply right. now exists (b :: p2).
Qed.

Lemma linear_variation f p q :
  fst p < fst q -> (forall t, fst p <= t <= fst q -> f t = snd p + slope p q * (t - fst p)) ->
  is_upper_bound (variations distance f (closed (fst p) (fst q))) (distance (snd p) (snd q)).
Proof.
  intros pq linear.
  assert (f (fst p) = snd p) as at_p by (rewrite linear by lra; ring).
  assert (f (fst q) = snd q) as at_q by (rewrite linear by lra; unfold slope; field; lra).
  unfold distance at 2. rewrite <- at_p, <- at_q. apply least_variation_iff_monotone; [lra|].
  destruct (Rle_dec 0 (slope p q)); [left|right]; intros s t Hs Hst Ht; rewrite !linear by lra; nra.
Qed.

Theorem spline_variation (f_L : R -> R) (data : list (R * R)) :
  data <> [] -> increasing_data data -> interpolates f_L data -> linear_between f_L data ->
  total_variation distance f_L (closed (first data) (final data)) (path distance (map snd data)).
Proof.
  intros nonempty inc fits linear. split; [|intros T; now apply interpolant_variation_at_least].
  clear fits. induction data as [|p [|q rest] IH]; [easy| |].
  - (* one point *)
    intros s [t [part ->]]. unfold first, final in part. simpl in part.
    replace (path distance (map snd [p])) with (f_L (fst p) - f_L (fst p)) by (simpl; ring).
    apply (path_monotone f_L t _ _ (closed (fst p) (fst p))); try easy; [| |lra].
    + intros r u Hr Hu _. replace u with r by (unfold closed in *; lra). lra.
    + intros r Hr. destruct part as [_ within]. specialize (within r Hr). unfold closed in within.
      replace r with (fst p) by lra. lra.
  - destruct inc as [pq inc], linear as [here linear].
    change (path distance (map snd (p :: q :: rest)))
      with (distance (snd p) (snd q) + path distance (map snd (q :: rest))).
    rewrite final_cons. apply (variation_concat f_L (fst p) (fst q) _).
    + split; [lra|]. apply (first_le_final _ inc).
    + now apply linear_variation.
    + now apply IH.
Qed.

(* volhejn2020, eqs 3.10-3.11 (V7), first half: "f interpolates D => TV(f) >= TV(f_L)"; the spline's is
   sum_j |y_{j+1} - y_j|. *)
Theorem spline_minimises_variation (f f_L : R -> R) (data : list (R * R)) (T T_L : R) :
  data <> [] -> increasing_data data -> interpolates f data -> interpolates f_L data -> linear_between f_L data ->
  total_variation distance f (closed (first data) (final data)) T ->
  total_variation distance f_L (closed (first data) (final data)) T_L -> T_L <= T.
Proof.
  intros nonempty inc fits fits_L linear [upper _] [_ least].
  apply Rle_trans with (path distance (map snd data)).
  - apply least. now apply spline_variation.
  - now apply (interpolant_variation_at_least f).
Qed.

(* TV(f') *)

(* Where the derivative is looked at: between the first and the last data point, off a finite list of exceptions. *)
Definition between (data : list (R * R)) (exceptions : list R) (t : R) : Prop :=
  first data < t < final data /\ ~ In t exceptions.

(* The derivative of f, wherever it is looked at; piecewise-linear functions and networks have one. *)
Definition derivative_between (f D : R -> R) (data : list (R * R)) (exceptions : list R) : Prop :=
  (forall t, first data <= t <= final data -> continuity_pt f t) /\
  (forall t, between data exceptions t -> derivable_pt_lim f t (D t)).

(* Somewhere between a and b the derivative is at most the mean slope. *)
Lemma below_mean_slope (f D : R -> R) (exceptions : list R) :
  forall a b, a < b -> (forall t, a <= t <= b -> continuity_pt f t) ->
  (forall t, a < t < b -> ~ In t exceptions -> derivable_pt_lim f t (D t)) ->
  exists t, a < t < b /\ ~ In t exceptions /\ D t * (b - a) <= f b - f a.
Proof.
  induction exceptions as [|e others IH]; intros a b ab continuous derivable.
  - destruct (low_derivative_inside f D a b ab continuous) as [t [Ht low]]; [intros; now apply derivable|].
    now exists t.
  - destruct (Rlt_dec a e) as [ae|], (Rlt_dec e b) as [eb|].
    2-4: destruct (IH a b ab continuous) as [t [Ht [off low]]];
      [intros t Ht off; apply derivable; [easy|intros [H|H]; [lra|easy]]|];
      exists t; split; [easy|split; [intros [H|H]; [lra|easy]|easy]].
    destruct (IH a e ae) as [t [Ht [off low]]].
    { intros t Ht. apply continuous. lra. }
    { intros t Ht off. apply derivable; [lra|intros [H|H]; [lra|easy]]. }
    destruct (IH e b eb) as [u [Hu [off_u low_u]]].
    { intros r Hr. apply continuous. lra. }
    { intros r Hr off_r. apply derivable; [lra|intros [H|H]; [lra|easy]]. }
    destruct (Rle_dec (D t) (D u)).
    + exists t. split; [lra|split; [intros [H|H]; [lra|easy]|]]. nra.
    + exists u. split; [lra|split; [intros [H|H]; [lra|easy]|]]. nra.
Qed.

Lemma around_mean_slope (f D : R -> R) (exceptions : list R) (p q : R * R) :
  fst p < fst q -> (forall t, fst p <= t <= fst q -> continuity_pt f t) ->
  (forall t, fst p < t < fst q -> ~ In t exceptions -> derivable_pt_lim f t (D t)) ->
  f (fst p) = snd p -> f (fst q) = snd q ->
  exists u v, fst p < u <= v /\ v < fst q /\ ~ In u exceptions /\ ~ In v exceptions /\
    distance (D u) (D v) = distance (D u) (slope p q) + distance (slope p q) (D v).
Proof.
  intros pq continuous derivable at_p at_q.
  destruct (below_mean_slope f D exceptions _ _ pq continuous derivable) as [t [Ht [off low]]].
  destruct (below_mean_slope (fun t => - f t) (fun t => - D t) exceptions _ _ pq) as [u [Hu [off_u high]]].
  { intros r Hr. now apply continuity_pt_opp, continuous. }
  { intros r Hr off_r. apply derivable_pt_lim_opp. now apply derivable. }
  rewrite at_p, at_q in *.
  assert (slope p q * (fst q - fst p) = snd q - snd p) as mean by (unfold slope; field; lra).
  assert (D t <= slope p q) by (apply (Rmult_le_reg_r (fst q - fst p)); lra).
  assert (slope p q <= D u) by (apply (Rmult_le_reg_r (fst q - fst p)); lra).
  destruct (Rle_dec t u).
  - exists t, u. repeat split; try lra; try easy. unfold distance. rewrite !Rabs_pos_eq; lra.
  - exists u, t. repeat split; try lra; try easy. unfold distance. rewrite !Rabs_left1; lra.
Qed.

(* Two points in each interval, where the derivative is on the two sides of the spline's slope: passing from one to the
   other, it passes that slope. *)
Lemma passes_slopes (f D : R -> R) (exceptions : list R) (p q : R * R) (rest : list (R * R)) :
  let data := p :: q :: rest in
  increasing_data data -> interpolates f data -> derivative_between f D data exceptions ->
  exists u v points, partition (between data exceptions) (u :: v :: points) /\ v < fst q /\
    path distance (slopes data) <= distance (slope p q) (D v) + path distance (map D (v :: points)) /\
    distance (D u) (D v) = distance (D u) (slope p q) + distance (slope p q) (D v).
Proof.
  cbv zeta. revert p q. induction rest as [|r rest IH]; intros p q inc fits [continuous derivable].
  - destruct inc as [pq _]. unfold between, first, final in *. simpl in *.
    destruct (around_mean_slope f D exceptions p q pq continuous) as [u [v [uv [vq [off_u [off_v around]]]]]].
    { intros t Ht off. now apply derivable. }
    { apply fits. now left. }
    { apply fits. right. now left. }
    exists u, v, []. split; [split|split; [easy|split; [|easy]]].
    + sorted; lra.
    + intros t [<-|[<-|[]]]; split; try easy; lra.
    + pose proof (Rabs_pos (D v - slope p q)) as pos. fold (distance (slope p q) (D v)) in pos. simpl. lra.
  - destruct inc as [pq inc]. pose proof (first_le_final _ inc) as later. rewrite final_cons in later.
    unfold between in *. rewrite !final_cons in *. unfold first in *. simpl hd in *.
    destruct inc as [qr inc].
    assert (fst q < final (r :: rest)) as more.
    { pose proof (first_le_final _ inc) as ends. unfold first in ends. simpl in ends. lra. }
    destruct (IH q r) as [u' [v' [points [[chain within] [_ [long around']]]]]].
    + now split.
    + intros s Hs. apply fits. now right.
    + split; [intros t Ht; apply continuous|intros t Ht; apply derivable];
        unfold between, first in Ht; rewrite ?final_cons in Ht; simpl in Ht; [lra|]. split; [lra|easy].
    + destruct (around_mean_slope f D exceptions p q pq) as [u [v [uv [vq [off_u [off_v around]]]]]].
      { intros t Ht. apply continuous. lra. }
      { intros t Ht off. apply derivable. split; [lra|easy]. }
      { apply fits. now left. }
      { apply fits. right. now left. }
      assert (forall t, In t (u' :: v' :: points) -> fst q < t < final (r :: rest) /\ ~ In t exceptions) as after.
      { intros t Ht. specialize (within t Ht). unfold between, first in within. rewrite final_cons in within. easy. }
      exists u, v, (u' :: v' :: points). split; [split|split; [easy|split; [|easy]]].
      * constructor; [constructor; [easy|]|constructor; [lra|]]; rewrite Forall_forall; intros t Ht;
          specialize (after t Ht); lra.
      * intros t [<-|[<-|Ht]]; [split; [lra|easy]..|]. specialize (after t Ht). split; [lra|easy].
      * change (slopes (p :: q :: r :: rest)) with (slope p q :: slopes (q :: r :: rest)).
        change (slopes (q :: r :: rest)) with (slope q r :: slopes (r :: rest)) in *.
        rewrite path_cons2. simpl map in *. rewrite !path_cons2.
        pose proof (distance_triangle (slope p q) (D v) (slope q r)).
        pose proof (distance_triangle (D v) (D u') (slope q r)). lra.
Qed.

(* No interpolant's derivative varies less than the slopes of the spline. *)
Theorem interpolant_derivative_variation_at_least (f D : R -> R) (exceptions : list R) (data : list (R * R)) (T : R) :
  increasing_data data -> interpolates f data -> derivative_between f D data exceptions ->
  is_upper_bound (variations distance D (between data exceptions)) T -> path distance (slopes data) <= T.
Proof.
  intros inc fits derivable upper.
  destruct data as [|p [|q rest]].
  1-2: apply upper; exists []; split; [|reflexivity]; split; [sorted|easy].
  destruct (passes_slopes f D exceptions p q rest inc fits derivable) as [u [v [points [part [_ [long around]]]]]].
  apply Rle_trans with (path distance (map D (u :: v :: points))).
  - simpl map in *. rewrite path_cons2. pose proof (Rabs_pos (slope p q - D u)) as pos.
    fold (distance (D u) (slope p q)) in pos. lra.
  - apply upper. now exists (u :: v :: points).
Qed.

(* Between two data points the spline's derivative is the slope. *)
Lemma linear_derivative f p q t :
  (forall t, fst p <= t <= fst q -> f t = snd p + slope p q * (t - fst p)) -> fst p < t < fst q ->
  derivable_pt_lim f t (slope p q).
Proof.
  intros linear Ht.
  apply (derivable_pt_lim_locally_ext (fun t => snd p + slope p q * (t - fst p)) f t (fst p) (fst q)); [easy| |].
  { intros z Hz. symmetry. apply linear. lra. }
  assert (derivable_pt_lim (fun t => snd p + slope p q * (t - fst p)) t (0 + slope p q * (1 - 0))) as derived.
  { apply derivable_pt_lim_plus; [apply derivable_pt_lim_const|]. apply derivable_pt_lim_scal.
    apply derivable_pt_lim_minus; [apply derivable_pt_lim_id|apply derivable_pt_lim_const]. }
  now replace (0 + slope p q * (1 - 0)) with (slope p q) in derived by ring.
Qed.

(* The values of a function that is one slope after the other. *)
Fixpoint steps_between (D : R -> R) (data : list (R * R)) : Prop :=
  match data with
  | p :: (q :: _) as rest => (forall t, fst p < t < fst q -> D t = slope p q) /\ steps_between D rest
  | _ => True
  end.

Lemma steps_variation_at_most D p q rest points :
  let data := p :: q :: rest in
  increasing_data data -> steps_between D data -> partition (between data (map fst data)) points ->
  path distance (slope p q :: map D points) <= path distance (slopes data).
Proof.
  cbv zeta. revert p q points. induction rest as [|r rest IH]; intros p q points inc step part.
  - assert (forall t, In t points -> D t = slope p q) as constant.
    { intros t Ht. destruct step as [here _]. apply here. destruct part as [_ within].
      specialize (within t Ht). unfold between, first, final in within. simpl in within. lra. }
    simpl (slopes _). clear part. induction points as [|t points IH]; [simpl; lra|].
    simpl map. rewrite path_cons2. rewrite (constant t) by now left.
    specialize (IH (fun s Hs => constant s (or_intror Hs))).
    unfold distance at 1. replace (slope p q - slope p q) with 0 by ring. rewrite Rabs_R0. lra.
  - destruct step as [here step], inc as [pq inc].
    induction points as [|t points IHp].
    + simpl map. simpl path at 1. apply path_nonneg.
    + destruct (Rlt_dec t (fst q)) as [before|after].
      * simpl map. rewrite path_cons2. rewrite here.
        2: { destruct part as [_ within]. specialize (within t (or_introl eq_refl)).
             unfold between, first in within. simpl in within. lra. }
        unfold distance at 1. replace (slope p q - slope p q) with 0 by ring. rewrite Rabs_R0, Rplus_0_l.
        apply IHp. now apply (partition_tail _ t).
      * change (slopes (p :: q :: r :: rest)) with (slope p q :: slope q r :: slopes (r :: rest)).
        rewrite path_cons2.
        apply Rle_trans with (distance (slope p q) (slope q r) + path distance (slope q r :: map D (t :: points))).
        -- simpl map. rewrite !path_cons2. pose proof (distance_triangle (slope p q) (slope q r) (D t)). lra.
        -- apply Rplus_le_compat_l. apply (IH q r (t :: points) inc step).
           destruct part as [chain within]. split; [easy|]. intros s Hs.
           specialize (within s Hs) as inside_all. destruct inside_all as [inside off]. rewrite final_cons in inside.
           assert (t <= s) as ts.
           { destruct Hs as [<-|Hs]; [lra|]. apply StronglySorted_inv in chain. destruct chain as [_ above].
             rewrite Forall_forall in above. now apply above. }
           split; [|intros H; apply off; now right].
           unfold first in *. simpl hd in *. split; [|lra].
           assert (s <> fst q) by (intros ->; apply off; right; now left). lra.
Qed.

Lemma steps_variation_at_least D p q rest :
  let data := p :: q :: rest in
  increasing_data data -> steps_between D data ->
  exists points, partition (between data (map fst data)) points /\ map D points = slopes data.
Proof.
  cbv zeta. revert p q. induction rest as [|r rest IH]; intros p q inc [here step].
  - destruct inc as [pq _]. exists [(fst p + fst q) / 2]. split.
    + split; [sorted|]. intros t [<-|[]]. unfold between, first, final. simpl. split; [lra|].
      intros [H|[H|[]]]; lra.
    + simpl. rewrite here; [easy|lra].
  - destruct inc as [pq inc]. destruct (IH q r inc step) as [points [[chain within] values]].
    destruct inc as [qr inc]. pose proof (first_le_final (r :: rest) inc) as ends.
    unfold first in ends. simpl in ends.
    assert (forall t, In t points -> fst q < t) as after.
    { intros t Ht. specialize (within t Ht). unfold between, first in within. simpl in within. lra. }
    exists ((fst p + fst q) / 2 :: points). split; [split|].
    + constructor; [easy|]. rewrite Forall_forall. intros t Ht. specialize (after t Ht). lra.
    + intros t [<-|Ht]; split; rewrite ?final_cons; unfold first; simpl hd.
      * lra.
      * intros H. assert (forall s, In s (map fst (q :: r :: rest)) -> fst q <= s) as right.
        { intros s Hs. apply in_map_iff in Hs. destruct Hs as [c [<- Hc]].
          pose proof (data_inside (q :: r :: rest) c (conj qr inc) Hc) as place. unfold first in place.
          simpl in place. lra. }
        destruct H as [H|H]; [lra|]. specialize (right _ H). lra.
      * specialize (within t Ht). destruct within as [inside _]. rewrite final_cons in inside.
        specialize (after t Ht). lra.
      * intros [H|H]; [specialize (after t Ht); lra|]. specialize (within t Ht). now apply within.
    + simpl map. rewrite values, here by lra. reflexivity.
Qed.

Lemma spline_steps f_L D data :
  increasing_data data -> linear_between f_L data ->
  (forall t, between data (map fst data) t -> derivable_pt_lim f_L t (D t)) -> steps_between D data.
Proof.
  induction data as [|p [|q rest] IH]; intros inc linear derivable; [easy..|].
  destruct inc as [pq inc], linear as [here linear].
  assert (forall s, In s (map fst (q :: rest)) -> fst q <= s <= final (q :: rest)) as right.
  { intros s Hs. apply in_map_iff in Hs. destruct Hs as [c [<- Hc]]. now apply (data_inside (q :: rest)). }
  split.
  - intros t Ht. apply (uniqueness_limite f_L t); [apply derivable|now apply linear_derivative].
    unfold between, first. rewrite final_cons. simpl hd. split.
    + pose proof (right (fst q) (or_introl eq_refl)). lra.
    + intros [H|H]; [lra|]. specialize (right t H). lra.
  - apply IH; try easy. intros t [Ht off]. apply derivable. unfold first in *. simpl hd in *. split.
    + rewrite final_cons. unfold first. simpl hd. lra.
    + intros [H|H]; [lra|easy].
Qed.

Theorem spline_derivative_variation (f_L D_L : R -> R) (data : list (R * R)) :
  data <> [] -> increasing_data data -> linear_between f_L data ->
  (forall t, between data (map fst data) t -> derivable_pt_lim f_L t (D_L t)) ->
  total_variation distance D_L (between data (map fst data)) (path distance (slopes data)).
Proof.
  intros nonempty inc linear derivable. pose proof (spline_steps f_L D_L data inc linear derivable) as step.
  destruct data as [|p [|q rest]]; [easy| |].
  - split.
    + intros s [points [[_ within] ->]]. destruct points as [|t points]; [simpl; lra|exfalso].
      specialize (within t (or_introl eq_refl)). unfold between, first, final in within. simpl in within. lra.
    + intros T upper. apply upper. exists []. split; [split; [sorted|easy]|reflexivity].
  - split.
    + intros s [points [part ->]]. eapply Rle_trans;
        [|apply (steps_variation_at_most D_L p q rest points inc step part)].
      destruct points as [|t points]; [simpl; lra|]. simpl map. rewrite (path_cons2 _ (slope p q)).
      pose proof (Rabs_pos (D_L t - slope p q)) as pos. fold (distance (slope p q) (D_L t)) in pos. lra.
    + intros T upper. apply upper.
      destruct (steps_variation_at_least D_L p q rest inc step) as [points [part values]].
      exists points. split; [easy|]. now rewrite values.
Qed.

(* volhejn2020, eqs 3.12-3.13 (V7), second half: "f interpolates D => TV(f') >= TV(f_L')"; the spline's is the sum of
   |s_{j+1} - s_j| over its slopes. f is any continuous function with a derivative off finitely many points, D;
   partitions avoid the points where a derivative need not exist. *)
Theorem spline_minimises_derivative_variation (f D f_L D_L : R -> R) (exceptions : list R) (data : list (R * R))
    (T T_L : R) :
  data <> [] -> increasing_data data -> interpolates f data -> linear_between f_L data ->
  derivative_between f D data exceptions ->
  (forall t, between data (map fst data) t -> derivable_pt_lim f_L t (D_L t)) ->
  total_variation distance D (between data exceptions) T ->
  total_variation distance D_L (between data (map fst data)) T_L -> T_L <= T.
Proof.
  intros nonempty inc fits linear derivable derivable_L [upper _] [_ least].
  apply Rle_trans with (path distance (slopes data)).
  - apply least. now apply (spline_derivative_variation f_L).
  - now apply (interpolant_derivative_variation_at_least f D exceptions).
Qed.

(* The assumptions can be met: the spline and its derivative exist, and networks are among the interpolants. *)

Fixpoint spline (data : list (R * R)) (t : R) : R :=
  match data with
  | p :: (q :: _) as rest => if Rle_dec t (fst q) then snd p + slope p q * (t - fst p) else spline rest t
  | [p] => snd p
  | [] => 0
  end.
Fixpoint spline_slope (data : list (R * R)) (t : R) : R :=
  match data with
  | p :: (q :: _) as rest => if Rle_dec t (fst q) then slope p q else spline_slope rest t
  | _ => 0
  end.

Lemma spline_cons p q rest t :
  spline (p :: q :: rest) t = if Rle_dec t (fst q) then snd p + slope p q * (t - fst p) else spline (q :: rest) t.
Proof. reflexivity. Qed.

Lemma spline_first p rest : increasing_data (p :: rest) -> spline (p :: rest) (fst p) = snd p.
Proof.
  destruct rest as [|q rest]; intros inc; [reflexivity|]. destruct inc as [pq _]. rewrite spline_cons.
  destruct (Rle_dec (fst p) (fst q)); [ring|lra].
Qed.

Lemma linear_between_ext f h data :
  increasing_data data -> (forall t, first data <= t -> f t = h t) -> linear_between f data -> linear_between h data.
Proof.
  induction data as [|p [|q rest] IH]; intros inc same linear; [easy..|].
  destruct inc as [pq inc], linear as [here linear]. unfold first in *. simpl hd in *. split.
  - intros t Ht. rewrite <- same by lra. now apply here.
  - apply IH; [easy|intros t Ht; apply same; lra|easy].
Qed.

Theorem spline_is_linear data : increasing_data data ->
  interpolates (spline data) data /\ linear_between (spline data) data.
Proof.
  induction data as [|p [|q rest] IH]; intros inc.
  - now split.
  - split; [|easy]. intros r [<-|[]]. reflexivity.
  - pose proof (spline_first p (q :: rest) inc) as at_p. destruct inc as [pq inc]. destruct (IH inc) as [fits linear].
    assert (forall t, fst q <= t -> spline (p :: q :: rest) t = spline (q :: rest) t) as later.
    { intros t Ht. rewrite spline_cons. destruct (Rle_dec t (fst q)); [|easy].
      replace t with (fst q) by lra. rewrite spline_first by easy. unfold slope. field. lra. }
    split.
    + intros r [<-|Hr]; [easy|]. rewrite later; [now apply fits|].
      pose proof (data_inside _ r inc Hr) as place. unfold first in place. simpl hd in place. lra.
    + split.
      * intros t Ht. rewrite spline_cons. destruct (Rle_dec t (fst q)); [easy|lra].
      * apply (linear_between_ext (spline (q :: rest))); [easy| |easy].
        intros t Ht. symmetry. apply later. exact Ht.
Qed.

Theorem spline_slope_is_derivative data t :
  increasing_data data -> between data (map fst data) t -> derivable_pt_lim (spline data) t (spline_slope data t).
Proof.
  intros inc Ht. destruct (spline_is_linear data inc) as [_ linear]. revert linear. generalize (spline data) as f.
  induction data as [|p [|q rest] IH]; intros f linear.
  - unfold between, first, final in Ht. simpl in Ht. lra.
  - unfold between, first, final in Ht. simpl in Ht. lra.
  - destruct inc as [pq inc], linear as [here linear], Ht as [inside off].
    simpl spline_slope. destruct (Rle_dec t (fst q)).
    + assert (t <> fst q) by (intros ->; apply off; right; now left).
      apply linear_derivative; [easy|]. unfold first in inside. simpl in inside. lra.
    + apply IH; [easy| |easy]. split; [rewrite final_cons in inside; unfold first in *; simpl hd in *; lra|].
      intros H. apply off. now right.
Qed.

Lemma relu_lipschitz y z : Rabs (relu y - relu z) <= Rabs (y - z).
Proof.
  unfold relu, Rmax. destruct (Rle_dec 0 y), (Rle_dec 0 z); unfold Rabs; repeat destruct Rcase_abs; lra.
Qed.

Lemma output_continuous net t : continuity_pt (output net) t.
Proof.
  set (L := sum (fun u => Rabs (w2 u * w1 u)) (neurons net) + 1).
  assert (0 <= sum (fun u => Rabs (w2 u * w1 u)) (neurons net)) by (apply sum_nonneg; intros; apply Rabs_pos).
  intros eps eps_pos. exists (eps / L). split; [apply Rdiv_lt_0_compat; unfold L; lra|].
  intros s [_ close]. unfold dist in *. simpl in *. unfold R_dist in *.
  assert (Rabs (output net s - output net t) <= sum (fun u => Rabs (w2 u * w1 u)) (neurons net) * Rabs (s - t))
    as bound.
  { unfold output.
    match goal with |- Rabs (?a + ?b - (?c + ?b)) <= _ => replace (a + b - (c + b)) with (a - c) by ring end.
    rewrite <- sum_minus. eapply Rle_trans; [apply sum_abs|]. rewrite <- sum_scal_r. apply sum_le. intros u _.
    rewrite <- Rmult_minus_distr_l, Rabs_mult.
    replace (Rabs (w2 u * w1 u) * Rabs (s - t)) with (Rabs (w2 u) * Rabs (pre_activation u s - pre_activation u t)).
    - apply Rmult_le_compat_l; [apply Rabs_pos|apply relu_lipschitz].
    - unfold pre_activation. rewrite <- !Rabs_mult. f_equal. ring. }
  assert (Rabs (s - t) * L < eps).
  { replace eps with (eps / L * L) by (field; unfold L; lra). apply Rmult_lt_compat_r; [unfold L; lra|easy]. }
  pose proof (Rabs_pos (s - t)). unfold L in *. lra.
Qed.

Theorem network_has_derivative kappa net data :
  (forall u, In u (neurons net) -> w1 u <> 0) ->
  derivative_between (output net) (derivative kappa net) data (map knot (neurons net)).
Proof.
  intros sloped. split; [intros; apply output_continuous|]. intros t [_ off]. apply derivative_off_knots.
  intros u Hu zero. apply off, in_map_iff. exists u. split; [|easy].
  specialize (sloped u Hu). unfold knot, pre_activation in *. field_simplify_eq; lra.
Qed.
